using SapaGpu.Cli.Guided.Models;

namespace SapaGpu.Tests.Guided;

/// <summary>Small models with random parameters, whose options are not in their checkpoints but for the defaults.</summary>
internal static class SmallModels
{
    public static readonly NafOptions Naf = new() { Channels = 32, RotaryHeads = 2, Blocks = 1 };

    public static readonly AnyUpOptions AnyUp = new()
    {
        Channels = 16,
        ImageKernel = 3,
        FeatureKernel = 3,
        FeatureKernels = 24,
    };

    /// <summary>Makes a model.</summary>
    public static ImageGuidedUpsampler<T> Create<T>(UpsamplingModel model)
        where T : unmanaged
    {
        var device = TestDevices.Open("cpu");
        return model == UpsamplingModel.Naf ? new NafUpsampler<T>(device, Naf, seed: 7) : new AnyUpUpsampler<T>(device, AnyUp, seed: 7);
    }

    /// <summary>Writes the checkpoint of a model.</summary>
    public static void Save(UpsamplingModel model, string path)
    {
        using var module = Create<float>(model);
        module.ToStateDict().Save(path);
    }

    /// <summary>Features that differ in every cell and channel.</summary>
    public static double[] Features(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => (double)(Half)(4 * random.NextDouble() - 2))];
    }

    /// <summary>What a module makes of a photo and features, channel by channel.</summary>
    /// <param name="module">The module.</param>
    /// <param name="photo">The photo.</param>
    /// <param name="shape">Channels, rows and columns of the features.</param>
    /// <param name="features">The features in that order.</param>
    /// <param name="height">The rows of the result.</param>
    /// <param name="width">The columns of the result.</param>
    /// <param name="mean">The mean of the samples of the photo; null for ImageNet's.</param>
    /// <param name="deviation">Their standard deviation.</param>
    public static double[] Upsample<T>(
        ImageGuidedUpsampler<T> module, Photo photo, int[] shape, double[] features, int height, int width, double[]? mean = null,
        double[]? deviation = null)
        where T : unmanaged
    {
        mean ??= [0.485, 0.456, 0.406];
        deviation ??= [0.229, 0.224, 0.225];
        var pixels = new double[3 * photo.Height * photo.Width];
        for (int c = 0; c < 3; c++)
        {
            for (int i = 0; i < photo.Height * photo.Width; i++)
                pixels[c * photo.Height * photo.Width + i] = (photo.Samples[3 * i + c] / 255.0 - mean[c]) / deviation[c];
        }
        using var image = Map(new MapShape(1, 3, photo.Height, photo.Width), pixels);
        using var cells = Map(new MapShape(1, shape[0], shape[1], shape[2]), features);
        using var output = module.Forward(image, cells, height, width);
        return Array.ConvertAll(output.ToArray(), ElementTypes.ToDouble);

        FeatureMap<T> Map(MapShape size, double[] values) =>
            FeatureMap<T>.From(module.Device, size, Array.ConvertAll(values, ElementTypes.FromDouble<T>));
    }
}

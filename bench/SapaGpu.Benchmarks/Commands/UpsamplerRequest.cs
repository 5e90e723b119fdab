using System.Diagnostics;
using System.Globalization;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>What is measured of a model that upsamples features with an image.</summary>
/// <param name="Model">One of <see cref="Models"/>.</param>
/// <param name="Size">Height and width of image and output.</param>
internal sealed record UpsamplerRequest(string Model, int Size)
{
    /// <summary>The argument of a process that serves a request.</summary>
    public const string ChildArgument = "upsampler-child";

    private const string Naf = "naf";
    private const string AnyUp = "anyup";
    private const string Own = "own";
    private const string Torch = "torch";
    private const int Rounds = 3;

    public static IEnumerable<string> Models => [Naf, AnyUp];

    /// <summary>
    /// Gets what a vision transformer gives for an image of 448x448: 384 channels with patches of 16 pixels, 768 with patches
    /// of 14.
    /// </summary>
    public MapShape Features => Model == Naf ? new MapShape(1, 384, 28, 28) : new MapShape(1, 768, 32, 32);

    public long OutputBytes => (long)sizeof(float) * Features.Channels * Size * Size;

    private MapShape Image => new(1, 3, Size, Size);

    /// <summary>Measures it in a process of its own, and prints the result there.</summary>
    public static void Serve(string text)
    {
        string[] parts = text.Split(':');
        var request = new UpsamplerRequest(parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture));
        double seconds = parts[2] == Torch ? request.RunTorch() : request.RunOwn();
        long peak = ResidentMemory.IsKnown ? ResidentMemory.Peak : 0;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds} {peak}"));
    }

    /// <summary>The median seconds of a call and the most memory of a process, ours or with libtorch's encoder.</summary>
    public (double Seconds, double PeakBytes) Measure(bool onTorch)
    {
        string[] numbers = ChildProcess.Run(ChildArgument, $"{Model}:{Size}:{(onTorch ? Torch : Own)}")[^1].Split(' ');
        return (double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    private static double Median(Action call)
    {
        var seconds = new List<double>();
        for (int round = 0; round <= Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            call();
            if (round > 0)
                seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        seconds.Sort();
        return seconds[Rounds / 2];
    }

    private static float[] Random(MapShape shape)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, checked((int)shape.ElementCount)).Select(_ => random.NextSingle() - 0.5f)];
    }

    private static torch.Tensor Tensor(MapShape shape) =>
        torch.tensor(Random(shape), [shape.Batch, shape.Channels, shape.Height, shape.Width]);

    private double RunOwn()
    {
        using var device = ComputeDevice.Open("cpu");
        using ImageGuidedUpsampler<float> upsampler = Model == Naf
            ? new NafUpsampler<float>(device, new NafOptions())
            : new AnyUpUpsampler<float>(device, new AnyUpOptions());
        using var image = FeatureMap<float>.From(device, Image, Random(Image));
        using var features = FeatureMap<float>.From(device, Features, Random(Features));
        return Median(() => upsampler.Forward(image, features, Size, Size).Dispose());
    }

    private double RunTorch()
    {
        TorchLibrary.AllowOlderRuntime();
        torch.set_num_threads(Environment.ProcessorCount);
        using var noGradients = torch.no_grad();
        using TorchSharp.ImageGuidedUpsampler upsampler = Model == Naf
            ? new TorchSharp.NafUpsampler(new NafOptions())
            : new TorchSharp.AnyUpUpsampler(new AnyUpOptions());
        using var image = Tensor(Image);
        using var features = Tensor(Features);
        return Median(() => upsampler.forward(image, features, Size, Size).Dispose());
    }
}

namespace SapaGpu.Cli.Guided.Models;

/// <summary>What a model expects of an image: (sample − mean) / deviation, with samples from 0 to 1.</summary>
/// <param name="Mean">The means of red, green and blue.</param>
/// <param name="Deviation">Their standard deviations.</param>
internal sealed record ImageNormalisation(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>The statistics of ImageNet, with which most backbones and these models are trained.</summary>
    public static ImageNormalisation ImageNet { get; } = new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>The photo as planes of red, green and blue.</summary>
    public T[] Apply<T>(Photo photo)
        where T : unmanaged
    {
        int plane = photo.Height * photo.Width;
        var values = new T[Photo.Channels * plane];
        var levels = new T[byte.MaxValue + 1];
        for (int c = 0; c < Photo.Channels; c++)
        {
            for (int level = 0; level < levels.Length; level++)
                levels[level] = ElementTypes.FromDouble<T>(((double)level / byte.MaxValue - Mean[c]) / Deviation[c]);
            for (int i = 0; i < plane; i++)
                values[c * plane + i] = levels[photo.Samples[i * Photo.Channels + c]];
        }
        return values;
    }
}

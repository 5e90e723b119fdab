namespace SapaGpu.Cli.Guided;

/// <summary>Makes of every sample one of the two ends of a range; missing values and opacity stay what they are.</summary>
/// <param name="inner">Where the samples go.</param>
/// <param name="range">The range of the mask.</param>
/// <param name="share">The share of the range from which on a sample is the upper end.</param>
/// <param name="marks">The marks of missing values.</param>
/// <param name="channels">The samples of a pixel.</param>
/// <param name="hasOpacity">Whether the last of them is opacity.</param>
internal sealed class ThresholdSink(
    IMapSink inner, MaskRange range, double share, RequestedMarks marks, int channels, bool hasOpacity) : IMapSink
{
    private readonly float level = (float)(range.Low + share * ((double)range.High - range.Low));
    private float[] decided = [];

    /// <inheritdoc/>
    public void Write(Region pixels, ReadOnlySpan<float> samples)
    {
        if (decided.Length < samples.Length)
            decided = new float[samples.Length];
        for (int i = 0; i < samples.Length; i++)
        {
            bool isOpacity = hasOpacity && i % channels == channels - 1;
            decided[i] = isOpacity || !float.IsFinite(samples[i]) || marks.Include(samples[i]) ? samples[i]
                : samples[i] >= level ? range.High
                : range.Low;
        }
        inner.Write(pixels, decided.AsSpan(0, samples.Length));
    }
}

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>Components as red, green and blue, each over a range of its own; a single one as grey.</summary>
internal sealed class ComponentPainter(IReadOnlyList<ValueRange> ranges) : MapPainter
{
    /// <inheritdoc/>
    protected override void PaintPixel(ReadOnlySpan<float> samples, Span<byte> colour)
    {
        for (int c = 0; c < colour.Length; c++)
        {
            int component = Math.Min(c, samples.Length - 1);
            float sample = ranges[component].Normalise(samples[component]);
            colour[c] = (byte)MathF.Round(Math.Clamp(sample, 0, 1) * byte.MaxValue);
        }
    }
}

namespace SapaGpu.Guided;

/// <summary>
/// Maps of quantities: the samples are averaged. Where a map has missing values, they count as 0, an additional channel
/// is 1 for known cells, and the averages are divided by its average.
/// </summary>
internal sealed class ContinuousCodec : IMapCodec
{
    private readonly Raster map;
    private readonly UnknownMarks unknown;
    private readonly bool hasUnknown;

    /// <summary>Prepares a map.</summary>
    public ContinuousCodec(Raster map, UnknownMarks unknown)
    {
        this.map = map;
        this.unknown = unknown;
        hasUnknown = unknown.IsIn(map);
    }

    public int Height => map.Height;

    public int Width => map.Width;

    public int SampleChannels => map.Channels;

    public int CountChannels(Region cells) => map.Channels + (hasUnknown ? 1 : 0);

    public EncodedCells Encode(Region cells)
    {
        int channels = CountChannels(cells);
        var values = new float[cells.Count * channels];
        int next = 0;
        for (int row = cells.Row; row < cells.EndRow; row++)
        {
            for (int column = cells.Column; column < cells.EndColumn; column++, next += channels)
            {
                var samples = map.PixelAt(row, column);
                if (hasUnknown && unknown.Has(samples))
                    continue;
                samples.CopyTo(values.AsSpan(next));
                if (hasUnknown)
                    values[next + map.Channels] = 1;
            }
        }
        return new EncodedCells(channels, values, []);
    }

    public void Decode(EncodedCells encoded, PixelBlock pixels, ReadOnlySpan<float> averages, Span<float> samples)
    {
        if (!hasUnknown)
        {
            averages.CopyTo(samples);
            return;
        }
        for (int from = 0, to = 0; to < samples.Length; from += encoded.Channels, to += map.Channels)
        {
            float knownShare = averages[from + map.Channels];
            var pixel = samples.Slice(to, map.Channels);
            if (knownShare < Unknown.SmallestKnownShare)
            {
                pixel.Fill(unknown.Written);
                continue;
            }
            for (int c = 0; c < pixel.Length; c++)
                pixel[c] = averages[from + c] / knownShare;
        }
    }
}

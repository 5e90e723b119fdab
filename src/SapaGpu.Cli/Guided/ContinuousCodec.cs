using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>
/// Maps of quantities: the samples are averaged. If missing values are marked, they count as 0, an additional channel
/// is 1 for known cells, and the averages are divided by its average.
/// </summary>
internal sealed class ContinuousCodec(Raster map, float? unknown) : IMapCodec
{
    public int Height => map.Height;

    public int Width => map.Width;

    public int SampleChannels => map.Channels;

    public int CountChannels(Region cells) => map.Channels + (unknown is null ? 0 : 1);

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
                if (Unknown.Is(samples, unknown))
                    continue;
                samples.CopyTo(values.AsSpan(next));
                if (unknown is not null)
                    values[next + map.Channels] = 1;
            }
        }
        return new EncodedCells(channels, values, []);
    }

    public void Decode(EncodedCells encoded, ReadOnlySpan<float> averages, Span<float> samples)
    {
        if (unknown is not { } mark)
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
                pixel.Fill(mark);
                continue;
            }
            for (int c = 0; c < pixel.Length; c++)
                pixel[c] = averages[from + c] / knownShare;
        }
    }
}

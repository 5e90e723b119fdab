namespace SapaGpu.Guided;

/// <summary>
/// Images whose last channel is opacity: colours are averaged with their opacity as a weight, so that what is hidden stays
/// hidden. Where nothing is to be seen the colour is 0.
/// </summary>
internal sealed class OpacityCodec(Raster map) : IMapCodec
{
    public int Height => map.Height;

    public int Width => map.Width;

    public int SampleChannels => map.Channels;

    public int CountChannels(Region cells) => map.Channels;

    public EncodedCells Encode(Region cells)
    {
        var values = new float[cells.Count * map.Channels];
        int next = 0;
        for (int row = cells.Row; row < cells.EndRow; row++)
        {
            for (int column = cells.Column; column < cells.EndColumn; column++, next += map.Channels)
            {
                var samples = map.PixelAt(row, column);
                float opacity = samples[^1];
                for (int c = 0; c < samples.Length - 1; c++)
                    values[next + c] = samples[c] * opacity;
                values[next + samples.Length - 1] = opacity;
            }
        }
        return new EncodedCells(map.Channels, values, []);
    }

    public void Decode(EncodedCells encoded, PixelBlock pixels, ReadOnlySpan<float> averages, Span<float> samples)
    {
        for (int i = 0; i < samples.Length; i += map.Channels)
        {
            float opacity = averages[i + map.Channels - 1];
            for (int c = 0; c < map.Channels - 1; c++)
                samples[i + c] = opacity > 0 ? averages[i + c] / opacity : 0;
            samples[i + map.Channels - 1] = opacity;
        }
    }
}

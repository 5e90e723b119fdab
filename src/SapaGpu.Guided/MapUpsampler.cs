
namespace SapaGpu.Guided;

/// <summary>
/// Upsamples a map rectangle by rectangle, so that memory stays bounded for any size. Every rectangle is computed with
/// the cells around it that it depends on, so that no seams are visible.
/// </summary>
internal sealed class MapUpsampler(CellGrid grid, IInterpolator interpolator)
{
    /// <summary>
    /// The largest side of a rectangle in cells. Positions in a rectangle stay small enough for their squares to have
    /// enough digits in single precision.
    /// </summary>
    public const int DefaultSide = 32;

    /// <summary>The copies of a value that exist at a time: on the host, on the device and unpacked.</summary>
    private const int Copies = 3;

    /// <summary>The bytes that a rectangle may take; a rectangle that takes more is cut in two.</summary>
    public long MemoryBudget { get; init; } = 64L << 20;

    /// <summary>The largest side of a rectangle in cells.</summary>
    public int Side { get; init; } = DefaultSide;

    /// <summary>Upsamples a map.</summary>
    /// <param name="map">The map.</param>
    /// <param name="output">Where the result is written.</param>
    /// <param name="progress">Receives the completed fraction, from 0 to 1.</param>
    /// <param name="cancellation">Stops between two rectangles.</param>
    public void Run(
        IMapCodec map, IMapSink output, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        var averagesBuffer = new ReusableBuffer();
        var samplesBuffer = new ReusableBuffer();
        long done = 0;
        foreach (var cells in Rectangles(map))
        {
            cancellation.ThrowIfCancellationRequested();
            var surroundings = cells.Grow(interpolator.Reach, map.Height, map.Width);
            var pixels = grid.PixelsOf(cells);
            var encoded = map.Encode(surroundings);
            var averages = averagesBuffer.Take(pixels.Count * encoded.Channels).Span;
            interpolator.Interpolate(cells, surroundings, encoded.Channels, encoded.Values, averages);
            var samples = samplesBuffer.Take(pixels.Count * map.SampleChannels).Span;
            map.Decode(encoded, averages, samples);
            output.Write(pixels, samples);
            done += cells.Count;
            progress?.Invoke((double)done / ((long)map.Height * map.Width));
        }
    }

    private IEnumerable<Region> Rectangles(IMapCodec map)
    {
        for (int row = 0; row < map.Height; row += Side)
        {
            for (int column = 0; column < map.Width; column += Side)
            {
                var cells = new Region(
                    row, column, Math.Min(Side, map.Height - row), Math.Min(Side, map.Width - column));
                foreach (var part in CutToBudget(map, cells))
                    yield return part;
            }
        }
    }

    private IEnumerable<Region> CutToBudget(IMapCodec map, Region cells)
    {
        var surroundings = cells.Grow(interpolator.Reach, map.Height, map.Width);
        long slots = surroundings.Count * grid.Scale * grid.Scale;
        long bytes = slots * (map.CountChannels(surroundings) + interpolator.WorkingChannels) * Copies * sizeof(float);
        if (bytes <= MemoryBudget || cells.Count == 1)
            return [cells];
        var (first, second) = cells.Halve();
        return CutToBudget(map, first).Concat(CutToBudget(map, second));
    }
}


namespace SapaGpu.Guided;

/// <summary>
/// Upsamples a map rectangle by rectangle, so that memory stays bounded for any size. Every rectangle is computed with
/// the cells around it that it depends on, so that no seams are visible.
/// </summary>
internal sealed class MapUpsampler(CellGrid grid, IInterpolator interpolator, ClassRefiner? refiner = null)
{
    /// <summary>
    /// The largest side of a rectangle in cells. Positions in a rectangle stay small enough for their squares to have
    /// enough digits in single precision.
    /// </summary>
    public const int DefaultSide = 32;

    /// <summary>The copies of a value that exist at a time: on the host, on the device and unpacked.</summary>
    private const int Copies = 3;

    // The side of a block of cells that is interpolated at once where classes are refined.
    private const int BlockSide = 16;

    private readonly ReusableBuffer averagesBuffer = new();
    private readonly ReusableBuffer blockBuffer = new();

    /// <summary>The bytes that a rectangle may take; a rectangle that takes more is cut in two.</summary>
    public long MemoryBudget { get; init; } = 64L << 20;

    /// <summary>The largest side of a rectangle in cells.</summary>
    public int Side { get; init; } = DefaultSide;

    // The refinement of a rectangle needs cells around it, of which larger ones need fewer.
    private int LargestSide => refiner is null ? Side : Side * 2;

    /// <summary>Upsamples a map.</summary>
    /// <param name="map">The map.</param>
    /// <param name="output">Where the result is written.</param>
    /// <param name="progress">Receives the completed fraction, from 0 to 1.</param>
    /// <param name="cancellation">Stops between two rectangles.</param>
    public void Run(
        IMapCodec map, IMapSink output, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        var samplesBuffer = new ReusableBuffer();
        long done = 0;
        foreach (var cells in Rectangles(map))
        {
            cancellation.ThrowIfCancellationRequested();
            var pixels = grid.PixelsOf(cells);
            var (encoded, area, averages) = Average(map, cells);
            var samples = samplesBuffer.Take(pixels.Count * map.SampleChannels).Span;
            map.Decode(encoded, new PixelBlock(grid, pixels, area), averages.Span, samples);
            output.Write(pixels, samples);
            done += cells.Count;
            progress?.Invoke((double)done / ((long)map.Height * map.Width));
        }
    }

    /// <summary>The weights of encoded cells, the cells that they are of, and the averages of every pixel of some cells.</summary>
    private (EncodedCells Encoded, Region Area, Memory<float> Averages) Average(IMapCodec map, Region cells)
    {
        if (refiner is not null && map is IClassCodec classes)
            return Refine(classes, cells);
        var surroundings = Surroundings(map, cells);
        var encoded = map.Encode(surroundings);
        var averages = averagesBuffer.Take(grid.PixelsOf(cells).Count * encoded.Channels);
        interpolator.Interpolate(cells, surroundings, encoded.Channels, encoded.Values, averages.Span);
        return (encoded, surroundings, averages);
    }

    private (EncodedCells Encoded, Region Area, Memory<float> Averages) Refine(IClassCodec map, Region cells)
    {
        var pixels = grid.PixelsOf(cells);
        var surroundings = Surroundings(map, cells);
        if (map.IsUniform(surroundings))
        {
            var single = map.Encode(cells with { Height = 1, Width = 1 });
            var constant = averagesBuffer.Take(pixels.Count);
            constant.Span.Fill(single.Values[0]);
            return (single, cells, constant);
        }
        var refined = cells.Grow(refiner!.Reach, map.Height, map.Width);
        var encoded = map.Encode(surroundings);
        int channels = encoded.Channels;
        var area = grid.PixelsOf(refined);
        var weights = averagesBuffer.Take(area.Count * channels);
        var values = Cut(encoded.Values, surroundings, refined, channels);
        var active = ActiveCells.Find(surroundings, channels, encoded.Values).Within(refined);
        InterpolateActive(refined, surroundings, active, encoded, values, weights.Span);
        refiner.Refine(refined, channels, map.UnknownChannel(encoded), values, weights, active);
        return (encoded, surroundings, Crop(weights, area, pixels, channels));
    }

    /// <summary>Interpolates where classes may change, block by block, and repeats the values of all other cells.</summary>
    private void InterpolateActive(
        Region cells, Region surroundings, ActiveCells active, EncodedCells encoded, float[] values, Span<float> weights)
    {
        int channels = encoded.Channels;
        var area = grid.PixelsOf(cells);
        new NearestInterpolator(grid).Interpolate(cells, cells, channels, values, weights);
        for (int row = cells.Row; row < cells.EndRow; row += BlockSide)
        {
            for (int column = cells.Column; column < cells.EndColumn; column += BlockSide)
            {
                var block = active.Bound(new Region(
                    row, column, Math.Min(BlockSide, cells.EndRow - row), Math.Min(BlockSide, cells.EndColumn - column)));
                if (block.Count == 0)
                    continue;
                var around = block.Grow(interpolator.Reach, grid.Rows.Cells, grid.Columns.Cells);
                var pixels = grid.PixelsOf(block);
                var averages = blockBuffer.Take(pixels.Count * channels).Span;
                interpolator.Interpolate(
                    block, around, channels, Cut(encoded.Values, surroundings, around, channels), averages);
                PasteActive(averages, block, active, channels, weights, area);
            }
        }
    }

    private void PasteActive(
        ReadOnlySpan<float> averages, Region block, ActiveCells active, int channels, Span<float> weights, Region area)
    {
        var pixels = grid.PixelsOf(block);
        for (int row = 0; row < pixels.Height; row++)
        {
            int to = ((pixels.Row + row - area.Row) * area.Width - area.Column) * channels;
            int from = (row * pixels.Width - pixels.Column) * channels;
            int cellRow = grid.Rows.CellOf(pixels.Row + row);
            for (int column = block.Column; column < block.EndColumn; column++)
            {
                if (!active.Has(cellRow, column))
                    continue;
                int start = grid.Columns.FirstPixel(column) * channels, end = grid.Columns.FirstPixel(column + 1) * channels;
                averages[(from + start)..(from + end)].CopyTo(weights[(to + start)..]);
            }
        }
    }

    /// <summary>The cells on which those of a rectangle depend.</summary>
    private Region Surroundings(IMapCodec map, Region cells) =>
        refiner is null
            ? cells.Grow(interpolator.Reach, map.Height, map.Width)
            : cells.Grow(refiner.Reach + Math.Max(interpolator.Reach, ActiveCells.Distance), map.Height, map.Width);

    /// <summary>Moves the numbers of a rectangle to the front of those of a larger one around it.</summary>
    private static Memory<float> Crop(Memory<float> values, Region from, Region to, int channels)
    {
        Copy(values.Span, from, to, channels, values.Span);
        return values[..(int)(to.Count * channels)];
    }

    /// <summary>The numbers of a rectangle that lies in another.</summary>
    private static float[] Cut(float[] values, Region from, Region to, int channels)
    {
        var cut = new float[to.Count * channels];
        Copy(values, from, to, channels, cut);
        return cut;
    }

    // Row by row from the first on, so that the target may be where the source begins.
    private static void Copy(ReadOnlySpan<float> values, Region from, Region to, int channels, Span<float> target)
    {
        for (int row = 0; row < to.Height; row++)
        {
            int start = ((to.Row + row - from.Row) * from.Width + to.Column - from.Column) * channels;
            values.Slice(start, to.Width * channels).CopyTo(target[(row * to.Width * channels)..]);
        }
    }

    private IEnumerable<Region> Rectangles(IMapCodec map)
    {
        for (int row = 0; row < map.Height; row += LargestSide)
        {
            for (int column = 0; column < map.Width; column += LargestSide)
            {
                var cells = new Region(
                    row, column, Math.Min(LargestSide, map.Height - row), Math.Min(LargestSide, map.Width - column));
                foreach (var part in CutToBudget(map, cells))
                    yield return part;
            }
        }
    }

    private IEnumerable<Region> CutToBudget(IMapCodec map, Region cells)
    {
        var surroundings = Surroundings(map, cells);
        int channels = map.CountChannels(surroundings);
        long slots = surroundings.Count * grid.Scale * grid.Scale;
        long numbers = refiner is null
            ? slots * (channels + interpolator.WorkingChannels) * Copies
            : grid.PixelsOf(surroundings).Count * (channels + ClassRefiner.WorkingChannels);
        long bytes = numbers * sizeof(float);
        long budget = refiner is null ? MemoryBudget : MemoryBudget * 3 / 2;
        if (bytes <= budget || cells.Count == 1)
            return [cells];
        var (first, second) = cells.Halve();
        return CutToBudget(map, first).Concat(CutToBudget(map, second));
    }
}

using System.Runtime.CompilerServices;

namespace SapaGpu.Guided;

/// <summary>
/// Brings the edges of classes to those of the photo: a guided filter of every class's weights, back-projection, a hard decision,
/// and again.
/// </summary>
/// <remarks>
/// The kernel over cells compares a pixel with means over cells only. The guided filter (<see cref="GuidedFilter"/>) fits the classes
/// of the pixels around to their colours. Back-projection (Irani and Peleg, <i>Improving Resolution by Image Registration</i>, CVGIP
/// 1991) keeps thin structures, which the filter takes away: a cell whose class does not have the largest mean in the result gets what it
/// lacks, interpolated between cells. A pixel depends on cells within <see cref="Reach"/> only, and every sum has the
/// same order wherever rectangles are cut.
/// </remarks>
internal sealed class ClassRefiner
{
    private const int Rounds = 3;

    // Half a cell. Chosen with the ratios 4, 8 and 16, as all constants here, on photographs that were left out in turns.
    private const double RadiusInCells = 0.5;

    // A cell that lacks its class gets more than is missing on the average, since interpolation takes away from peaks.
    private const float Gain = 3;

    private readonly CellGrid grid;
    private readonly GuidedFilter filter;
    private readonly int windowReach;
    private PixelRuns runs = new([]);

    /// <summary>Prepares the refinement of maps of a size.</summary>
    public ClassRefiner(CellGrid grid, Photo photo)
    {
        this.grid = grid;
        var (rows, columns) = (grid.Rows, grid.Columns);
        double ratio = Math.Sqrt((double)rows.Pixels / rows.Cells * columns.Pixels / columns.Cells);
        int radius = Math.Max(1, (int)Math.Round(ratio * RadiusInCells));
        filter = new GuidedFilter(photo, radius);
        int smallest = Math.Min(rows.Pixels / rows.Cells, columns.Pixels / columns.Cells);
        int filterReach = (2 * radius + smallest - 1) / smallest;
        Reach = Rounds * (filterReach + BackProjectionReach);
        windowReach = (radius + smallest - 1) / smallest;
    }

    /// <summary>The cells beyond its own on which a pixel depends.</summary>
    public int Reach { get; }

    /// <summary>The numbers of a pixel that are held beside its weights.</summary>
    public const int WorkingChannels = GuidedFilter.WorkingChannels;

    // Interpolation takes what the next cell lacks, which is a mean over all of its pixels.
    private static int BackProjectionReach => 2;

    /// <summary>Refines the weights of classes.</summary>
    /// <param name="cells">The cells; what comes from beyond them is missing within <see cref="Reach"/> of their edge.</param>
    /// <param name="channels">The number of classes; 1 for a class and its complement.</param>
    /// <param name="unknownChannel">The channel of missing values; -1 for none.</param>
    /// <param name="values">The classes of the cells, 1 in the channel of the class.</param>
    /// <param name="weights">The weights of the classes for every pixel of the cells, channels side by side.</param>
    /// <param name="active">The cells that are refined.</param>
    public void Refine(
        Region cells,
        int channels,
        int unknownChannel,
        ReadOnlyMemory<float> values,
        Memory<float> weights,
        ActiveCells active)
    {
        var pixels = grid.PixelsOf(cells);
        runs = active.Runs(grid);
        filter.Prepare(pixels, runs, active.Grow(windowReach).Runs(grid));
        for (int round = 0; round < Rounds; round++)
        {
            if (round > 0)
                Decide(pixels.Width, channels, unknownChannel, weights);
            for (int channel = 0; channel < channels; channel++)
                filter.Apply(weights, channels, channel);
            BackProject(cells, pixels, channels, unknownChannel, values.Span, weights, active);
        }
    }

    private void Decide(int width, int channels, int unknownChannel, Memory<float> weights) =>
        Parallel.For(0, runs.Rows.Length, y =>
        {
            foreach (var (start, end) in runs.Rows[y])
            {
                Decide(
                    channels, unknownChannel, weights.Span.Slice((y * width + start) * channels, (end - start) * channels));
            }
        });

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Decide(int channels, int unknownChannel, Span<float> weights)
    {
        if (channels == 1)
        {
            foreach (ref float weight in weights)
                weight = weight > 0.5f ? 1 : 0;
            return;
        }
        for (int i = 0; i < weights.Length; i += channels)
        {
            var pixel = weights.Slice(i, channels);
            int winner = ClassDecision.Winner(pixel, unknownChannel);
            pixel.Clear();
            pixel[winner] = 1;
        }
    }

    private void BackProject(
        Region cells,
        Region pixels,
        int channels,
        int unknownChannel,
        ReadOnlySpan<float> values,
        Memory<float> weights,
        ActiveCells active)
    {
        var missing = MeansOf(cells, pixels, channels, weights, active);
        bool any = false;
        for (int cell = 0; cell < cells.Count; cell++)
        {
            if (!active.Has(cells.Row + cell / cells.Width, cells.Column + cell % cells.Width))
                continue;
            var means = missing.AsSpan(cell * channels, channels);
            var classes = values.Slice(cell * channels, channels);
            any |= channels == 1
                ? FindMissing(classes[0], ref means[0])
                : FindMissing(classes, unknownChannel, means);
        }
        if (any)
            AddInterpolated(cells, pixels, channels, missing, weights);
    }

    /// <summary>Makes of the mean of a cell what it lacks to be on the cell's side of a half.</summary>
    private static bool FindMissing(float value, ref float mean)
    {
        float missing = value > 0.5f ? Math.Max(0.5f - mean, 0) : Math.Min(0.5f - mean, 0);
        mean = missing * Gain;
        return missing != 0;
    }

    /// <summary>Makes of the means of a cell what its own class and the leading one lack to be equal.</summary>
    private static bool FindMissing(ReadOnlySpan<float> classes, int unknownChannel, Span<float> means)
    {
        int own = classes.IndexOf(1f);
        float largest = float.NegativeInfinity;
        for (int c = 0; c < means.Length; c++)
        {
            if (c != own && c != unknownChannel)
                largest = Math.Max(largest, means[c]);
        }
        float gap = own == unknownChannel ? 0 : (largest - means[own]) / 2;
        if (!(gap > 0))
        {
            means.Clear();
            return false;
        }
        for (int c = 0; c < means.Length; c++)
        {
            bool leads = c != unknownChannel && means[c] == largest;
            means[c] = c == own ? gap * Gain : leads ? -gap * Gain : 0;
        }
        return true;
    }

    private float[] MeansOf(
        Region cells, Region pixels, int channels, ReadOnlyMemory<float> weights, ActiveCells active)
    {
        var means = new float[cells.Count * channels];
        Parallel.For(0, cells.Height, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (cellRow) =>
        {
            var line = weights.Span;
            int top = grid.Rows.FirstPixel(cells.Row + cellRow), bottom = grid.Rows.FirstPixel(cells.Row + cellRow + 1);
            var sums = new double[channels];
            for (int cell = 0; cell < cells.Width; cell++)
            {
                if (!active.Has(cells.Row + cellRow, cells.Column + cell))
                    continue;
                int left = grid.Columns.FirstPixel(cells.Column + cell), right = grid.Columns.FirstPixel(cells.Column + cell + 1);
                sums.AsSpan().Clear();
                for (int y = top; y < bottom; y++)
                {
                    int row = (y - pixels.Row) * pixels.Width - pixels.Column;
                    for (int i = (row + left) * channels; i < (row + right) * channels; i += channels)
                    {
                        for (int c = 0; c < channels; c++)
                            sums[c] += line[i + c];
                    }
                }
                double count = (double)(bottom - top) * (right - left);
                for (int c = 0; c < channels; c++)
                    means[(cellRow * cells.Width + cell) * channels + c] = (float)(sums[c] / count);
            }
        });
        return means;
    }

    private void AddInterpolated(Region cells, Region pixels, int channels, float[] values, Memory<float> weights)
    {
        var columns = new (int First, int Second, float Share)[pixels.Width];
        for (int x = 0; x < columns.Length; x++)
            columns[x] = Neighbours(grid.Columns.PositionOf(pixels.Column + x), cells.Column, cells.Width);
        Parallel.For(0, pixels.Height, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (y) =>
        {
            var row = weights.Span.Slice(y * pixels.Width * channels, pixels.Width * channels);
            var (top, bottom, down) = Neighbours(grid.Rows.PositionOf(pixels.Row + y), cells.Row, cells.Height);
            int upper = top * cells.Width, lower = bottom * cells.Width;
            foreach (var (start, end) in runs.Rows[y])
            {
                for (int x = start; x < end; x++)
                {
                    var (left, right, across) = columns[x];
                    for (int c = 0; c < channels; c++)
                    {
                        row[x * channels + c] += float.Lerp(
                            float.Lerp(values[(upper + left) * channels + c], values[(upper + right) * channels + c], across),
                            float.Lerp(values[(lower + left) * channels + c], values[(lower + right) * channels + c], across),
                            down);
                    }
                }
            }
        });
    }

    private static (int First, int Second, float Share) Neighbours(double position, int first, int count)
    {
        double relative = Math.Clamp(position - first, 0, count - 1);
        int index = (int)relative;
        return (index, Math.Min(index + 1, count - 1), (float)(relative - index));
    }
}

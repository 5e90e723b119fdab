using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>
/// How the outputs are cut into rectangles whose queries are worked together. Queries that see the same cells share one
/// product of matrices; where a cell has few queries, those of neighbouring cells join, at the cost of pairs that are left out.
/// </summary>
internal sealed class RangePlan
{
    private const int MostQueries = 64;

    // Products compute whole vectors of queries.
    private const int QueryVector = 32;

    /// <summary>Plans the tiles of two axes.</summary>
    public RangePlan(AxisRanges rows, AxisRanges columns)
    {
        double best = double.PositiveInfinity;
        (RowTiles, ColumnTiles) = ([], []);
        for (int height = 1; height <= MostQueries; height *= 2)
        {
            var down = Cut(rows, height);
            var across = Cut(columns, MostQueries / height);
            double cost = Cost(Shapes(rows, down), Shapes(columns, across));
            if (cost < best)
            {
                best = cost;
                (RowTiles, ColumnTiles) = (down, across);
            }
        }
        var (shapesDown, shapesAcross) = (Shapes(rows, RowTiles), Shapes(columns, ColumnTiles));
        TileCellRows = shapesDown.Max(tile => tile.Cells);
        TileCellColumns = shapesAcross.Max(tile => tile.Cells);
        TileQueries = shapesDown.Max(tile => tile.Outputs) * shapesAcross.Max(tile => tile.Outputs);
        Density = (double)Seen(rows) * Seen(columns) / PairsOfWholeTiles(shapesDown, shapesAcross);
    }

    /// <summary>Gets where tiles of output rows start, and the end.</summary>
    public int[] RowTiles { get; }

    /// <summary>Gets where tiles of output columns start, and the end.</summary>
    public int[] ColumnTiles { get; }

    /// <summary>Gets the most cell rows that a tile sees.</summary>
    public int TileCellRows { get; }

    /// <summary>Gets the most cell columns that a tile sees.</summary>
    public int TileCellColumns { get; }

    /// <summary>Gets the most queries of a tile.</summary>
    public int TileQueries { get; }

    /// <summary>Gets the part that is seen of the pairs that the programs on tiles of thread groups compute.</summary>
    public double Density { get; }

    /// <summary>
    /// Cuts the row tiles into bands that sum the gradients of cells on their own, so that threads work side by side and sums
    /// are added in a fixed order.
    /// </summary>
    /// <param name="rows">The ranges of the rows.</param>
    /// <param name="count">How many bands, at most as many as there are row tiles.</param>
    /// <returns>The table, <see cref="CrossBand"/>, and the most cell rows of a band.</returns>
    public (int[] Table, int CellRows) Bands(AxisRanges rows, int count)
    {
        int tiles = RowTiles.Length - 1;
        var table = new int[(count + 1) * CrossBand.Numbers];
        int most = 0;
        for (int band = 0; band < count; band++)
        {
            int first = (int)((long)band * tiles / count);
            int end = (int)((long)(band + 1) * tiles / count);
            int firstRow = rows.RangeOf(RowTiles[first]).First;
            int endRow = rows.RangeOf(RowTiles[end] - 1).End;
            table[band * CrossBand.Numbers] = first;
            table[band * CrossBand.Numbers + 1] = firstRow;
            table[band * CrossBand.Numbers + 2] = endRow;
            most = Math.Max(most, endRow - firstRow);
        }
        table[count * CrossBand.Numbers] = tiles;
        return (table, most);
    }

    // Runs of equal ranges that are longer than a tile are cut evenly, shorter ones join.
    private static int[] Cut(AxisRanges axis, int most)
    {
        var starts = new List<int> { 0 };
        for (int output = 0; output < axis.Outputs;)
        {
            int run = 1;
            while (output + run < axis.Outputs && SeesTheSame(axis, output, output + run))
                run++;
            if (output > starts[^1] && output + run - starts[^1] > most)
                starts.Add(output);
            int pieces = (run + most - 1) / most;
            for (int piece = 1; piece < pieces; piece++)
                starts.Add(output + (int)((long)piece * run / pieces));
            output += run;
        }
        starts.Add(axis.Outputs);
        return [.. starts];
    }

    // Thread groups take whole tiles of queries and whole blocks of cells.
    private static double PairsOfWholeTiles(TileShape[] rows, TileShape[] columns)
    {
        double blocks = 0;
        var across = columns.CountBy(shape => shape.Cells).ToArray();
        foreach (var (height, count) in rows.CountBy(shape => shape.Cells))
        {
            foreach (var (width, times) in across)
                blocks += (double)count * times * Math.Max(1, (height * (long)width + CrossTile.CellBlock - 1) / CrossTile.CellBlock);
        }
        return blocks * CrossTile.Queries * CrossTile.CellBlock;
    }

    private static long Seen(AxisRanges axis)
    {
        long seen = 0;
        for (int output = 0; output < axis.Outputs; output++)
            seen += axis.RangeOf(output).Count;
        return seen;
    }

    private static bool SeesTheSame(AxisRanges axis, int output, int other) =>
        axis[output] == axis[other];

    private static TileShape[] Shapes(AxisRanges axis, int[] starts)
    {
        var shapes = new TileShape[starts.Length - 1];
        for (int tile = 0; tile < shapes.Length; tile++)
        {
            shapes[tile] = new TileShape(
                starts[tile + 1] - starts[tile],
                axis.RangeOf(starts[tile + 1] - 1).End - axis.RangeOf(starts[tile]).First);
        }
        return shapes;
    }

    private static double Cost(TileShape[] rows, TileShape[] columns)
    {
        double cost = 0;
        var across = columns.CountBy(shape => shape).ToArray();
        foreach (var (row, count) in rows.CountBy(shape => shape))
        {
            foreach (var (column, times) in across)
            {
                int queries = (row.Outputs * column.Outputs + QueryVector - 1) / QueryVector * QueryVector;
                cost += (double)count * times * queries * row.Cells * column.Cells;
            }
        }
        return cost;
    }

    private readonly record struct TileShape(int Outputs, int Cells);
}

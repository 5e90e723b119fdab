using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A square of 64 cells that a thread group works on, and the rectangle of queries that see any of them, or a part of its rows,
/// which goes through in pieces of 96.
/// </summary>
internal struct CrossCellTile
{
    /// <summary>The cells of a side.</summary>
    public const int Side = 8;

    private const int Numbers = 10;

    public int Image;

    /// <summary>The set of weights, or the head.</summary>
    public int Part;

    /// <summary>Which channels are summed, as many as a pass takes.</summary>
    public int Pass;

    // Which part of the queries.
    private int split;
    private int cellRow;
    private int cellColumn;
    private int row;
    private int height;
    private int column;
    private int width;

    /// <summary>Gets the queries of all pieces.</summary>
    public readonly int QueryCount => height * width;

    /// <summary>The thread groups that a problem takes.</summary>
    public static long GroupCount(in CrossExtent extent, int parts, int passes, int splits) =>
        (long)extent.Batch * parts * passes * splits * Count(extent.Height) * Count(extent.Width);

    /// <summary>
    /// Finds the tile of the group. It passes through shared memory, as <see cref="TileOrigin"/> does. Ends with a barrier.
    /// </summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="parts">The sets of weights, or the heads.</param>
    /// <param name="passes">The passes that the channels of one take.</param>
    /// <param name="inPairs">Whether columns of queries are to be whole pairs, a constant.</param>
    public static CrossCellTile Locate<TStorage, TReal>(
        in CrossAttentionParameters<TStorage, TReal> parameters, int parts, int passes, bool inPairs)
        where TStorage : unmanaged
        where TReal : unmanaged
    {
        var found = SharedMemory.Allocate<int>(Numbers);
        if (Group.IdxX == 0)
        {
            int across = Count(parameters.Extent.Width);
            int down = Count(parameters.Extent.Height);
            int line = Grid.IdxX / across;
            int piece = line / down;
            int pass = piece / parameters.Splits;
            int part = pass / passes;
            int image = part / parts;
            int ownSplit = piece - pass * parameters.Splits;
            int firstCellRow = (line - piece * down) * Side;
            int firstCellColumn = (Grid.IdxX - line * across) * Side;
            int lastCellRow = Math.Min(firstCellRow + Side, parameters.Extent.Height) - 1;
            int lastCellColumn = Math.Min(firstCellColumn + Side, parameters.Extent.Width) - 1;
            int firstRow = parameters.RowQueries[2L * firstCellRow];
            int rows = parameters.RowQueries[2L * lastCellRow + 1] - firstRow;
            int firstColumn = parameters.ColumnQueries[2L * firstCellColumn];
            int endColumn = parameters.ColumnQueries[2L * lastCellColumn + 1];
            int from = (int)((long)rows * ownSplit / parameters.Splits);
            int to = (int)((long)rows * (ownSplit + 1) / parameters.Splits);
            firstColumn = inPairs ? firstColumn & ~1 : firstColumn;
            endColumn = inPairs ? (endColumn + 1) & ~1 : endColumn;
            found[0] = image;
            found[1] = part - image * parts;
            found[2] = pass - part * passes;
            found[3] = ownSplit;
            found[4] = firstCellRow;
            found[5] = firstCellColumn;
            found[6] = firstRow + from;
            found[7] = to - from;
            found[8] = firstColumn;
            found[9] = endColumn - firstColumn;
        }
        Group.Barrier();
        return new CrossCellTile
        {
            Image = found[0],
            Part = found[1],
            Pass = found[2],
            split = found[3],
            cellRow = found[4],
            cellColumn = found[5],
            row = found[6],
            height = found[7],
            column = found[8],
            width = found[9],
        };
    }

    /// <summary>
    /// Writes what is known of the cells to shared memory. Run by a whole group; the caller places the barriers.
    /// </summary>
    public readonly void FindCells<TElement, TStorage, TReal, TAccess>(
        in CrossAttentionParameters<TStorage, TReal> parameters, in CrossTileShared<TReal> shared)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        int i = Group.IdxX;
        int ownRow = cellRow + i / Side;
        int ownColumn = cellColumn + (i & (Side - 1));
        int key = TileMap<TStorage>.Outside;
        int value = TileMap<TStorage>.Outside;
        int output = TileMap<TStorage>.Outside;
        var bias = TReal.Zero;
        int seenRow = TileMap<TStorage>.Outside;
        if (i < CrossTile.Queries & ownRow < parameters.Extent.Height & ownColumn < parameters.Extent.Width)
        {
            key = TileMap<TStorage>.Position<TAccess>(parameters.Key.Offset(Image, 0, ownRow, ownColumn));
            value = TileMap<TStorage>.Position<TAccess>(parameters.Value.Offset(Image, 0, ownRow, ownColumn));
            output = TileMap<TStorage>.Position<TAccess>(
                parameters.Partial.Offset(split * parameters.Extent.Batch + Image, 0, ownRow, ownColumn));
            if (parameters.HasBias != 0)
                bias = TElement.Load(parameters.Bias.Data[parameters.Bias.Offset(Image, 0, ownRow, ownColumn)]);
            seenRow = TReal.IsNegativeInfinity(bias) ? TileMap<TStorage>.Outside : ownRow;
        }
        shared.Queries[i] = key;
        shared.Gradients[i] = value;
        shared.Outputs[i] = output;
        shared.Bias[i] = bias;
        shared.CellRows[i] = seenRow;
        shared.CellColumns[i] = ownColumn;
        if (i == 0)
        {
            shared.Numbers[CrossTileShared<TReal>.Scale] = parameters.Scale;
            shared.Numbers[CrossTileShared<TReal>.Zero] = TReal.Zero;
        }
    }

    /// <summary>
    /// Writes what is known of a piece of the queries to shared memory. Run by a whole group; the caller places the barriers.
    /// </summary>
    public readonly void FindQueries<TStorage, TReal, TAccess>(
        in CrossAttentionParameters<TStorage, TReal> parameters, int first, in CrossTileShared<TReal> shared)
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        int i = Group.IdxX;
        int query = TileMap<TStorage>.Outside;
        int gradient = TileMap<TStorage>.Outside;
        var ranges = default(Pack4<int>);
        if (i < CrossTile.Cells & first + i < QueryCount)
        {
            int down = (first + i) / width;
            int ownRow = row + down;
            int ownColumn = column + first + i - down * width;
            query = TileMap<TStorage>.Position<TAccess>(parameters.Query.Offset(Image, 0, ownRow, ownColumn));
            gradient = TileMap<TStorage>.Position<TAccess>(parameters.GradOutput.Offset(Image, 0, ownRow, ownColumn));
            var rows = AxisRange.Read(parameters.Rows, ownRow);
            var columns = AxisRange.Read(parameters.Columns, ownColumn);
            ranges = new Pack4<int> { X = rows.First, Y = rows.End, Z = columns.First, W = columns.End };
        }
        shared.Keys[i] = query;
        shared.Values[i] = gradient;
        shared.Ranges[i] = ranges;
    }

    /// <summary>
    /// Writes the statistics of a piece of the queries to shared memory. Run by a whole group; the caller places the barriers.
    /// </summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="head">The head.</param>
    /// <param name="share">What weights are multiplied by.</param>
    /// <param name="hasMeans">Whether the means are known, a constant.</param>
    /// <param name="first">The first query.</param>
    /// <param name="shared">The shared memory.</param>
    public readonly void FindStatistics<TStorage, TReal>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        int head,
        float share,
        bool hasMeans,
        int first,
        in CrossTileShared<TReal> shared)
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        int i = Group.IdxX;
        var known = default(Pack4<float>);
        if (i < CrossTile.Cells & first + i < QueryCount)
        {
            int down = (first + i) / width;
            int ownRow = row + down;
            int ownColumn = column + first + i - down * width;
            long at = parameters.Statistics.Offset(Image, 2 * head, ownRow, ownColumn);
            known.X = parameters.Statistics.Data.Cast<float>()[at];
            float sum = parameters.Statistics.Data.Cast<float>()[at + parameters.Statistics.ChannelStride];
            known.Y = sum == 0 ? 0 : share / sum;
            if (hasMeans)
                known.Z = parameters.Means.Data.Cast<float>()[parameters.Means.Offset(Image, 3 * head, ownRow, ownColumn)];
        }
        shared.Columns[i] = known;
    }

    /// <summary>The queries of the piece that begins at one, in whole blocks; at least one.</summary>
    public readonly int BlocksFrom(int first)
    {
        int left = QueryCount - first;
        return left > 2 * CrossTile.CellBlock ? 3 * CrossTile.CellBlock
            : left > CrossTile.CellBlock ? 2 * CrossTile.CellBlock
            : CrossTile.CellBlock;
    }

    private static int Count(int length) => (length + Side - 1) / Side;
}

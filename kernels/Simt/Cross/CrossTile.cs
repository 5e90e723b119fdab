using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A rectangle of up to 64 queries that a thread group works on, and the rectangle of cells that any of them sees, which
/// goes through in pieces of 96.
/// </summary>
internal struct CrossTile
{
    /// <summary>The most queries.</summary>
    public const int Queries = 64;

    /// <summary>The most cells of a piece.</summary>
    public const int Cells = 96;

    /// <summary>Pieces are worked in whole blocks of so many cells.</summary>
    public const int CellBlock = 32;

    /// <summary>The channels that are summed in a pass over the cells.</summary>
    public const int Channels = 64;

    /// <summary>The threads of a group.</summary>
    public const int GroupSize = 128;

    private const int Numbers = 13;

    public int Image;

    /// <summary>The set of weights.</summary>
    public int Part;

    // The queries.
    private int row;
    private int height;
    private int column;
    private int width;

    // The cells; with neighbours on either side, where columns are read in pairs.
    private int cellRow;
    private int cellHeight;
    private int cellColumn;
    private int cellWidth;
    private int seenColumn;
    private int seenEnd;
    private int isUniform;

    /// <summary>Gets the cells of all pieces.</summary>
    public readonly int CellCount => cellHeight * cellWidth;

    /// <summary>Gets whether all queries see the same cells.</summary>
    public readonly bool IsUniform => isUniform != 0;

    /// <summary>Gets whether the cells are more than one piece.</summary>
    public readonly bool HasPieces => CellCount > Cells;

    /// <summary>The thread groups that a problem takes.</summary>
    public static long GroupCount<TStorage, TReal>(in CrossAttentionParameters<TStorage, TReal> parameters)
        where TStorage : unmanaged
        where TReal : unmanaged =>
        (long)parameters.Extent.Batch * parameters.Extent.WeightSets
            * (parameters.RowTiles.Length - 1) * (parameters.ColumnTiles.Length - 1);

    /// <summary>
    /// Finds the tile of the group. It passes through shared memory, as <see cref="TileOrigin"/> does. Ends with a barrier.
    /// </summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="inPairs">Whether columns of cells are to be whole pairs, a constant.</param>
    public static CrossTile Locate<TStorage, TReal>(
        in CrossAttentionParameters<TStorage, TReal> parameters, bool inPairs)
        where TStorage : unmanaged
        where TReal : unmanaged
    {
        var found = SharedMemory.Allocate<int>(Numbers);
        if (Group.IdxX == 0)
        {
            int across = parameters.ColumnTiles.IntLength - 1;
            int down = parameters.RowTiles.IntLength - 1;
            int line = Grid.IdxX / across;
            int part = line / down;
            int image = part / parameters.Extent.WeightSets;
            int rowTile = line - part * down;
            int columnTile = Grid.IdxX - line * across;
            int firstRow = parameters.RowTiles[rowTile];
            int endRow = parameters.RowTiles[rowTile + 1];
            int firstColumn = parameters.ColumnTiles[columnTile];
            int endColumn = parameters.ColumnTiles[columnTile + 1];
            var top = AxisRange.Read(parameters.Rows, firstRow);
            var bottom = AxisRange.Read(parameters.Rows, endRow - 1);
            var left = AxisRange.Read(parameters.Columns, firstColumn);
            var right = AxisRange.Read(parameters.Columns, endColumn - 1);
            int firstCell = inPairs ? left.First & ~1 : left.First;
            int endCell = inPairs ? (right.End + 1) & ~1 : right.End;
            bool uniform = top.First == bottom.First & top.End == bottom.End
                & left.First == right.First & left.End == right.End;
            found[0] = image;
            found[1] = part - image * parameters.Extent.WeightSets;
            found[2] = firstRow;
            found[3] = endRow - firstRow;
            found[4] = firstColumn;
            found[5] = endColumn - firstColumn;
            found[6] = top.First;
            found[7] = bottom.End - top.First;
            found[8] = firstCell;
            found[9] = endCell - firstCell;
            found[10] = left.First;
            found[11] = right.End;
            found[12] = uniform ? 1 : 0;
        }
        Group.Barrier();
        return new CrossTile
        {
            Image = found[0],
            Part = found[1],
            row = found[2],
            height = found[3],
            column = found[4],
            width = found[5],
            cellRow = found[6],
            cellHeight = found[7],
            cellColumn = found[8],
            cellWidth = found[9],
            seenColumn = found[10],
            seenEnd = found[11],
            isUniform = found[12],
        };
    }

    /// <summary>
    /// Writes what is known of the queries to shared memory. Run by a whole group; the caller places the barriers.
    /// </summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="outputs">The map that is written.</param>
    /// <param name="shared">The shared memory.</param>
    public readonly void FindQueries<TStorage, TReal, TAccess>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in MapView<TStorage> outputs,
        in CrossTileShared<TReal> shared)
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        int i = Group.IdxX;
        int query = TileMap<TStorage>.Outside;
        int output = TileMap<TStorage>.Outside;
        int gradient = TileMap<TStorage>.Outside;
        int down = i / width;
        if (down < height)
        {
            int queryRow = row + down;
            int queryColumn = column + i - down * width;
            query = TileMap<TStorage>.Position<TAccess>(parameters.Query.Offset(Image, 0, queryRow, queryColumn));
            output = TileMap<TStorage>.Position<TAccess>(outputs.Offset(Image, 0, queryRow, queryColumn));
            gradient = TileMap<TStorage>.Position<TAccess>(
                parameters.GradOutput.Offset(Image, 0, queryRow, queryColumn));
        }
        shared.Queries[i] = query;
        shared.Outputs[i] = output;
        shared.Gradients[i] = gradient;
        if (i < Queries)
        {
            int last = height * width - 1;
            int own = i < last ? i : last;
            int ownDown = own / width;
            var rows = AxisRange.Read(parameters.Rows, row + ownDown);
            var columns = AxisRange.Read(parameters.Columns, column + own - ownDown * width);
            shared.Ranges[i] = new Pack4<int> { X = rows.First, Y = rows.End, Z = columns.First, W = columns.End };
            int outside = rows.Taps * columns.Taps - rows.Count * columns.Count;
            shared.Outside[i] = parameters.Extent.OutsideIsZero != 0 ? outside : 0;
            int ownRow = row + ownDown;
            int ownColumn = column + own - ownDown * width;
            shared.Statistics[i] =
                i <= last ? parameters.Statistics.Offset(Image, 0, ownRow, ownColumn) : TileMap<TStorage>.Outside;
            shared.MeanOffsets[i] =
                i <= last ? parameters.Means.Offset(Image, 0, ownRow, ownColumn) : TileMap<TStorage>.Outside;
        }
        if (i == 0)
        {
            shared.Numbers[CrossTileShared<TReal>.Scale] = parameters.Scale;
            shared.Numbers[CrossTileShared<TReal>.Zero] = TReal.Zero;
        }
    }

    /// <summary>
    /// Writes what is known of a piece of the cells to shared memory. Run by a whole group; the caller places the barriers.
    /// </summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="first">The first cell.</param>
    /// <param name="shared">The shared memory.</param>
    public readonly void FindCells<TElement, TStorage, TReal, TAccess>(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        int first,
        in CrossTileShared<TReal> shared)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        int i = Group.IdxX;
        int cell = first + i;
        int key = TileMap<TStorage>.Outside;
        int value = TileMap<TStorage>.Outside;
        var bias = TReal.NegativeInfinity;
        int down = 0;
        int across = 0;
        if (i < Cells & cell < CellCount)
        {
            down = cell / cellWidth;
            across = cellColumn + cell - down * cellWidth;
            down += cellRow;
            key = TileMap<TStorage>.Position<TAccess>(parameters.Key.Offset(Image, 0, down, across));
            value = TileMap<TStorage>.Position<TAccess>(parameters.Value.Offset(Image, 0, down, across));
            if (across >= seenColumn & across < seenEnd)
            {
                bias = TReal.Zero;
                if (parameters.HasBias != 0)
                    bias = TElement.Load(parameters.Bias.Data[parameters.Bias.Offset(Image, 0, down, across)]);
            }
        }
        shared.Keys[i] = key;
        shared.Values[i] = value;
        shared.Bias[i] = bias;
        shared.CellRows[i] = down;
        shared.CellColumns[i] = across;
    }

    /// <summary>The cells of the piece that begins at a cell, in whole blocks; at least one.</summary>
    public readonly int BlocksFrom(int first)
    {
        int left = CellCount - first;
        return left > 2 * CellBlock ? 3 * CellBlock : left > CellBlock ? 2 * CellBlock : CellBlock;
    }
}

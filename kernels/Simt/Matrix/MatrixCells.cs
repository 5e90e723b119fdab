using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The sixteen cells that a group gathers for with matrix units, and the queries of a ratio of 2 around them: those of
/// the cells that the windows cover, four to a cell, row by row, the rows padded to whole products.
/// </summary>
internal struct MatrixCells<TWindow, TAccess>
    where TWindow : struct, IWindow
    where TAccess : struct, IChannelAccess
{
    private const int QueriesOfCell = 4;

    private int image;
    private int row;
    private int column;
    private int rowEnd;

    /// <summary>Gets the rows of cells that the windows cover.</summary>
    public static int HaloHeight => Height + TWindow.Size(0) - 1;

    /// <summary>Gets the queries of a row of cells.</summary>
    public static int RowQueries => (HaloWidth + 3) / 4 * 4 * QueriesOfCell;

    /// <summary>Gets all queries.</summary>
    public static int Queries => HaloHeight * RowQueries;

    /// <summary>
    /// Gets the packs of eight weights from a cell to the next: one more than there are, for rows that are read together
    /// to lie in different groups of banks.
    /// </summary>
    public static int FactorPitch => Queries / MatrixRound.Channels + 1;

    /// <summary>Gets the packs of all weights.</summary>
    public static int FactorLength => CellPair.Cells * FactorPitch;

    private static int Width => TAccess.TileWidth;

    private static int Height => CellPair.Cells / Width;

    private static int HaloWidth => Width + TWindow.Size(0) - 1;

    private static int Radius => TWindow.Size(0) / 2;

    /// <summary>The thread groups that a band takes.</summary>
    public static long GroupCount(in WindowExtent extent, in RowBand band) =>
        TileOrigin.GroupCount(extent.Width, in band, Width, Height, parts: 1);

    /// <summary>Finds the cells of the running group. Ends with a barrier.</summary>
    public static MatrixCells<TWindow, TAccess> Locate(in WindowExtent extent, in RowBand band)
    {
        var origin = TileOrigin.Locate(extent.Width, in band, Width, Height, parts: 1);
        return new MatrixCells<TWindow, TAccess>
        {
            image = origin.Image,
            row = origin.Row,
            column = origin.Column,
            rowEnd = band.FirstRow + band.Rows,
        };
    }

    /// <summary>Gets the queries of a row of cells that see a cell; they follow one another.</summary>
    public static int QueriesSeen => TWindow.Size(0) * QueriesOfCell;

    /// <summary>The first query that sees a cell of those in a row of the cells around it.</summary>
    public static int Query(int cell, int row) =>
        (cell / Width + row) * RowQueries + (cell & (Width - 1)) * QueriesOfCell;

    /// <summary>Where the weight that a query gives to a cell is.</summary>
    public static int Weight(int cell, int query) => cell * FactorPitch * MatrixRound.Channels + query;

    /// <summary>The source at the queries; outside what pads, past the last row as well.</summary>
    public readonly TileMap<TStorage> Sources<TStorage>(
        in WindowExtent extent, in MapView<TStorage> map, ArrayView<int> positions)
        where TStorage : unmanaged
    {
        for (int i = Group.IdxX; i < positions.IntLength; i += MatrixRound.GroupSize)
        {
            int y = i / RowQueries;
            int inRow = i - y * RowQueries;
            int cellRow = row - Radius + y;
            int cellColumn = column - Radius + inRow / QueriesOfCell;
            int position = TileMap<TStorage>.Outside;
            if (y < HaloHeight & inRow < HaloWidth * QueriesOfCell
                & cellRow >= 0 & cellRow < extent.Height & cellColumn >= 0 & cellColumn < extent.Width)
            {
                position = TileMap<TStorage>.Position<TAccess>(
                    map.Offset(image, 0, 2 * cellRow + (inRow / 2 & 1), 2 * cellColumn + (inRow & 1)));
            }
            positions[i] = position;
        }
        return TileMap<TStorage>.Of(in map, positions);
    }

    /// <summary>The result at the cells.</summary>
    public readonly TileMap<TStorage> Results<TStorage>(
        in WindowExtent extent, in MapView<TStorage> map, ArrayView<int> positions)
        where TStorage : unmanaged
    {
        int cell = Group.IdxX;
        if (cell < CellPair.Cells)
        {
            int cellRow = row + cell / Width;
            int cellColumn = column + (cell & (Width - 1));
            int position = TileMap<TStorage>.Outside;
            if (cellRow < rowEnd & cellColumn < extent.Width)
                position = TileMap<TStorage>.Position<TAccess>(map.Offset(image, 0, cellRow, cellColumn));
            positions[cell] = position;
        }
        return TileMap<TStorage>.Of(in map, positions);
    }

    /// <summary>Sets all weights to 0. Run by a whole group; the caller places the barrier.</summary>
    public static void Clear(ArrayView<Pack4<uint>> weights)
    {
        for (int i = Group.IdxX; i < FactorLength; i += MatrixRound.GroupSize)
            weights[i] = default;
    }

    /// <summary>
    /// Loads the weights that the queries give to the cells, rounded to the format of the maps; what is outside the map or
    /// past the band is left alone. Run by a whole group; the caller places the barriers.
    /// </summary>
    public readonly void LoadWeights<TElement, TStorage, TReal, TWeightElement, TWeight>(
        in WindowExtent extent, in MapView<TWeight> map, ArrayView<TStorage> weights)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TWeightElement : struct, IElement<TWeight, TReal>
        where TWeight : unmanaged
    {
        int window = TWindow.Size(0);
        const int Items = CellPair.Cells * QueriesOfCell;
        for (int item = Group.IdxX; item < window * Items; item += MatrixRound.GroupSize)
        {
            int y = item / Items;
            int cell = item / QueriesOfCell & (CellPair.Cells - 1);
            int query = item & (QueriesOfCell - 1);
            int cellRow = row + cell / Width;
            int queryRow = cellRow - Radius + y;
            int queryColumn = column + (cell & (Width - 1)) - Radius;
            bool inside = cellRow < rowEnd & queryRow >= 0 & queryRow < extent.Height;

            // The further down the query, the higher the cell in its window.
            var taps = new WeightRow<TWeight>
            {
                Data = map.Data,
                Offset = map.Offset(
                    image, (window - y) * window - 1, 2 * queryRow + query / 2, 2 * queryColumn + (query & 1)),
                Step = 2 * map.ColumnStride - map.ChannelStride,
                Column = queryColumn,
                Columns = inside ? extent.Width : 0,
            };
            int target = Weight(cell, Query(cell, y) + query);
            taps.Read<TWeightElement, TReal>(window)
                .WriteRounded<TElement, TStorage>(window, weights.SubView(target, 1));
        }
    }
}

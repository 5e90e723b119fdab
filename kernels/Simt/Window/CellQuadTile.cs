using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The shape of a tile of quads, each of 2×2 cells.</summary>
internal interface ICellQuadShape
{
    /// <summary>The quads in a row, a power of two.</summary>
    static abstract int QuadsAcross { get; }

    /// <summary>Gets the rows of quads.</summary>
    static abstract int QuadsDown { get; }

    /// <summary>
    /// Gets the packs between the weights of two quads: where neighbouring threads read those of neighbouring quads, they
    /// should lie in different banks.
    /// </summary>
    static abstract int Padding { get; }
}

/// <summary>4×4 cells: neighbours share most of their windows.</summary>
internal readonly struct SquareQuads : ICellQuadShape
{
    public static int QuadsAcross => 2;

    public static int QuadsDown => 2;

    public static int Padding => 0;
}

/// <summary>16×2 cells, whose rows are read by whole lines.</summary>
internal readonly struct WideQuads : ICellQuadShape
{
    public static int QuadsAcross => 8;

    public static int QuadsDown => 1;

    public static int Padding => 1;
}

/// <summary>The tile of quads that a thread group gathers for; its cells are counted quad by quad.</summary>
internal struct CellQuadTile<TWindow, TShape>
    where TWindow : struct, IWindow
    where TShape : struct, ICellQuadShape
{
    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The first row.</summary>
    public int Row;

    /// <summary>The first column.</summary>
    public int Column;

    /// <summary>One past the last row of the band.</summary>
    public int RowEnd;

    /// <summary>Which part of the channels the group works on.</summary>
    public int Part;

    /// <summary>Gets the quads.</summary>
    public static int Quads => TShape.QuadsAcross * TShape.QuadsDown;

    /// <summary>Gets the cells.</summary>
    public static int Cells => 4 * Quads;

    /// <summary>Gets K², the cells whose queries see a cell.</summary>
    public static int Taps => TWindow.Size(0) * TWindow.Size(0);

    private static int Width => 2 * TShape.QuadsAcross;

    private static int Height => 2 * TShape.QuadsDown;

    /// <summary>Gets the packs from the weights of a quad to those of the next.</summary>
    public static int QuadPitch => 4 * Taps + TShape.Padding;

    /// <summary>The thread groups that a band takes where the channels of a tile are cut into parts.</summary>
    public static long GroupCount(in WindowExtent extent, in RowBand band, int parts) =>
        TileOrigin.GroupCount(extent.Width, in band, Width, Height, parts);

    /// <summary>Finds the tile of the running group. Ends with a barrier.</summary>
    public static CellQuadTile<TWindow, TShape> Locate(in WindowExtent extent, in RowBand band, int parts)
    {
        var origin = TileOrigin.Locate(extent.Width, in band, Width, Height, parts);
        return new CellQuadTile<TWindow, TShape>
        {
            Image = origin.Image,
            Row = origin.Row,
            Column = origin.Column,
            RowEnd = band.FirstRow + band.Rows,
            Part = origin.Part,
        };
    }

    /// <summary>The row of a cell.</summary>
    public readonly int CellRow(int cell) => Row + cell / 4 / TShape.QuadsAcross * 2 + (cell / 2 & 1);

    /// <summary>The column of a cell.</summary>
    public readonly int CellColumn(int cell) => Column + (cell / 4 & (TShape.QuadsAcross - 1)) * 2 + (cell & 1);

    /// <summary>
    /// Loads the weights that the queries around the cells give to them, for every cell in the order of the queries'
    /// cells; 0 outside the map and past the band. Run by a whole group; the caller places the barrier.
    /// </summary>
    public readonly void LoadWeights<TWeightElement, TWeight, TReal>(
        in WindowExtent extent, in MapView<TWeight> map, int groupSize, ArrayView<TReal> weights)
        where TWeightElement : struct, IElement<TWeight, TReal>
        where TWeight : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        int window = TWindow.Size(0);
        int queries = 4 * Cells;
        for (int item = Group.IdxX; item < window * queries; item += groupSize)
        {
            int y = item / queries;
            int query = item & (queries - 1);
            int cellRow = CellRow(query / 4);
            int row = cellRow - window / 2 + y;
            int column = CellColumn(query / 4) - window / 2;

            // The further down the query, the higher the cell in its window.
            long offset = map.Offset(
                Image, (window - y) * window - 1, 2 * row + (query / 2 & 1), 2 * column + (query & 1));
            bool inside = cellRow < RowEnd & row >= 0 & row < extent.Height;
            int at = (query / 16 * QuadPitch + (query / 4 & 3) * Taps + y * window) * 4 + (query & 3);
            var taps = new WeightRow<TWeight>
            {
                Data = map.Data,
                Offset = offset,
                Step = 2 * map.ColumnStride - map.ChannelStride,
                Column = column,
                Columns = inside ? extent.Width : 0,
            };
            taps.Read<TWeightElement, TReal>(window).Write(window, weights.SubView(at, 1));
        }
    }
}

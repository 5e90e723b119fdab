using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The addresses of the four cells around each point of a group of a run of queries, and the bilinear weight of each
/// cell in its point: what the loops over channels need, found before they start. Coordinates and bilinear weights are
/// computed with the lanes over queries. Cells outside the map have an address of their own, and points that do not
/// contribute have bilinear weights of 0.
/// </summary>
internal readonly unsafe struct DeformableTable<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>The queries of a run.</summary>
    public const int Length = 16;

    /// <summary>The cells around a point: upper left, upper right, lower left, lower right.</summary>
    public const int Corners = 4;

    private readonly int points;
    private readonly bool hasSecond;
    private readonly TReal* offsets;
    private readonly TReal* cellRow;
    private readonly TReal* cellColumns;
    private readonly TReal* rows;
    private readonly TReal* columns;

    /// <summary>Takes scratch memory.</summary>
    /// <param name="scratch">The scratch memory.</param>
    /// <param name="points">The points of a group.</param>
    /// <param name="groups">The groups whose offsets are read at once.</param>
    /// <param name="hasSecond">Whether the cells of a second map are found as well.</param>
    public DeformableTable(ref ScratchAllocator scratch, int points, int groups, bool hasSecond = false)
    {
        this.points = points;
        this.hasSecond = hasSecond;
        int entries = points * Length;
        First = scratch.Take<long>(entries * Corners);
        Second = scratch.Take<long>(hasSecond ? entries * Corners : 0);
        BilinearWeights = scratch.Take<TReal>(entries * Corners);
        Down = scratch.Take<TReal>(entries);
        Across = scratch.Take<TReal>(entries);
        offsets = scratch.Take<TReal>(2L * groups * entries);
        cellRow = scratch.Take<TReal>(1);
        cellColumns = scratch.Take<TReal>(Length);
        rows = scratch.Take<TReal>(Length);
        columns = scratch.Take<TReal>(Length);
    }

    /// <summary>Gets the cells of the first map, [point][corner][query].</summary>
    public long* First { get; }

    /// <summary>Gets the cells of the second map, [point][corner][query].</summary>
    public long* Second { get; }

    /// <summary>Gets the bilinear weights, [point][corner][query].</summary>
    public TReal* BilinearWeights { get; }

    /// <summary>Gets the way from the upper cells to the lower, from 0 to 1, [point][query].</summary>
    public TReal* Down { get; }

    /// <summary>Gets the way from the left cells to the right, from 0 to 1, [point][query].</summary>
    public TReal* Across { get; }

    /// <summary>Gets the cells around all points of a query.</summary>
    public int CellsPerQuery => points * Corners;

    /// <summary>
    /// Begins a run: reads the offsets of some groups, and notes the cells that its queries belong to.
    /// </summary>
    public void Begin(
        in MapView<TStorage> view, in AxisGrid rowGrid, in AxisGrid columnGrid, in PixelSpan span, int firstGroup, int groups)
    {
        var map = new MapPointer<TStorage>(in view);
        TStorage* source = map.At(span.Image, 2 * points * firstGroup, span.Row, span.Column);
        QueryBlock<TSimd, TStorage, TReal, TVector>.Load(
            in map, source, offsets, Length, 2 * points * groups, span.Count);
        *cellRow = TReal.CreateTruncating(rowGrid.CellOf(span.Row));
        for (int i = 0; i < span.Count; i++)
            cellColumns[i] = TReal.CreateTruncating(columnGrid.CellOf(span.Column + i));
    }

    /// <summary>Fills the table for a group of the run that was begun.</summary>
    /// <param name="group">The group, counted from the first whose offsets were read.</param>
    /// <param name="queries">The queries of the run.</param>
    /// <param name="first">The map.</param>
    /// <param name="second">The second map, of the same size, where the table has cells of one.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(int group, int queries, in DeformableMap first, in DeformableMap second = default)
    {
        for (int point = 0; point < points; point++)
        {
            Locate(group, point);
            Place(point, queries, in first, in second);
        }
    }

    /// <summary>Multiplies the bilinear weights with a factor for every point, [point][query].</summary>
    public void Weigh(TReal* weights) => Weigh(weights, BilinearWeights);

    /// <summary>The bilinear weights, each multiplied with the factor of its point, [point][corner][query].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Weigh(TReal* weights, TReal* result)
    {
        for (int point = 0; point < points; point++)
        {
            for (int i = 0; i < Length; i += TSimd.Lanes)
            {
                var weight = TSimd.Load(weights + point * Length + i);
                int own = point * Corners * Length + i;
                for (int corner = own; corner < own + Corners * Length; corner += Length)
                    TSimd.Store(result + corner, TSimd.Multiply(weight, TSimd.Load(BilinearWeights + corner)));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Locate(int group, int point)
    {
        TReal* across = offsets + 2 * (group * points + point) * Length;
        TReal* down = across + Length;
        TReal* bilinearWeights = BilinearWeights + point * Corners * Length;
        var upperCell = TSimd.Broadcast(*cellRow);
        for (int i = 0; i < Length; i += TSimd.Lanes)
        {
            var row = TSimd.Add(upperCell, TSimd.Load(down + i));
            var column = TSimd.Add(TSimd.Load(cellColumns + i), TSimd.Load(across + i));
            var firstRow = TSimd.Floor(row);
            var firstColumn = TSimd.Floor(column);
            var wayDown = TSimd.Subtract(row, firstRow);
            var wayAcross = TSimd.Subtract(column, firstColumn);
            var wayUp = TSimd.Subtract(TSimd.Constant(1.0), wayDown);
            var upperRight = TSimd.Multiply(wayUp, wayAcross);
            var lowerRight = TSimd.Multiply(wayDown, wayAcross);
            TSimd.Store(rows + i, firstRow);
            TSimd.Store(columns + i, firstColumn);
            TSimd.Store(Down + point * Length + i, wayDown);
            TSimd.Store(Across + point * Length + i, wayAcross);
            TSimd.Store(bilinearWeights + i, TSimd.Subtract(wayUp, upperRight));
            TSimd.Store(bilinearWeights + Length + i, upperRight);
            TSimd.Store(bilinearWeights + 2 * Length + i, TSimd.Subtract(wayDown, lowerRight));
            TSimd.Store(bilinearWeights + 3 * Length + i, lowerRight);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Place(int point, int queries, in DeformableMap first, in DeformableMap second)
    {
        int own = point * Corners * Length;
        var zero = TSimd.Constant(0.0);
        var lastRow = TSimd.Constant(first.Height - 1);
        var lastColumn = TSimd.Constant(first.Width - 1);
        for (int i = 0; i < Length; i += TSimd.Lanes)
        {
            var row = TSimd.Load(rows + i);
            var column = TSimd.Load(columns + i);
            Block(row, column, First + own + i, in first);
            if (hasSecond)
                Block(row, column, Second + own + i, in second);
            if (TSimd.AllWithin(row, zero, lastRow) && TSimd.AllWithin(column, zero, lastColumn))
                continue;
            for (int query = i; query < Math.Min(queries, i + TSimd.Lanes); query++)
            {
                if (!IsInside(query, in first))
                    PlaceAtEdge(point, query, in first, in second);
            }
        }
    }

    // Whether all cells around a point are inside; comparisons with what is no number are false.
    private bool IsInside(int query, in DeformableMap map) =>
        rows[query] >= TReal.Zero && rows[query] < TReal.CreateTruncating(map.Height - 1)
            && columns[query] >= TReal.Zero && columns[query] < TReal.CreateTruncating(map.Width - 1);

    // The addresses of four cells, as if all of them were inside.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block(TVector row, TVector column, long* cells, in DeformableMap map)
    {
        long next = map.Origin + map.RowStep;
        TSimd.StoreAddresses(cells, row, column, map.Origin, map.RowStep, map.ColumnStep);
        TSimd.StoreAddresses(cells + Length, row, column, map.Origin + map.ColumnStep, map.RowStep, map.ColumnStep);
        TSimd.StoreAddresses(cells + 2 * Length, row, column, next, map.RowStep, map.ColumnStep);
        TSimd.StoreAddresses(cells + 3 * Length, row, column, next + map.ColumnStep, map.RowStep, map.ColumnStep);
    }

    // A point that has cells outside the map around it, or does not contribute: lies a cell or more outside.
    private void PlaceAtEdge(int point, int query, in DeformableMap first, in DeformableMap second)
    {
        int entry = point * Length + query;
        int own = point * Corners * Length + query;
        TReal row = rows[query];
        TReal column = columns[query];
        bool isNear = row >= -TReal.One && row < TReal.CreateTruncating(first.Height)
            && column >= -TReal.One && column < TReal.CreateTruncating(first.Width);
        bool contributes = isNear
            && (row >= TReal.Zero || Down[entry] != TReal.Zero) && (column >= TReal.Zero || Across[entry] != TReal.Zero);
        int upper = contributes ? int.CreateTruncating(row) : first.Height;
        int left = contributes ? int.CreateTruncating(column) : first.Width;
        for (int corner = 0; corner < Corners; corner++)
        {
            int cell = own + corner * Length;
            First[cell] = first.Cell(upper + corner / 2, left + corner % 2);
            if (hasSecond)
                Second[cell] = second.Cell(upper + corner / 2, left + corner % 2);
            if (!contributes)
                BilinearWeights[cell] = TReal.Zero;
        }
        if (!contributes)
        {
            Down[entry] = TReal.Zero;
            Across[entry] = TReal.Zero;
        }
    }
}

/// <summary>The memory of a map that is sampled: addresses, and steps in bytes.</summary>
internal readonly unsafe struct DeformableMap
{
    public required int Height { get; init; }

    public required int Width { get; init; }

    public required nint Origin { get; init; }

    public required nint RowStep { get; init; }

    public required nint ColumnStep { get; init; }

    /// <summary>Gets the address that stands for all cells outside.</summary>
    public required nint Outside { get; init; }

    /// <summary>Some channels of an image of a map that is read.</summary>
    /// <param name="view">The map.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="image">The image.</param>
    /// <param name="channel">The first channel.</param>
    /// <param name="zeros">What stands for the cells outside.</param>
    public static DeformableMap Of<TStorage>(
        in MapView<TStorage> view, in AxisGrid rows, in AxisGrid columns, int image, int channel, TStorage* zeros)
        where TStorage : unmanaged
    {
        var map = new MapPointer<TStorage>(in view);
        return new DeformableMap
        {
            Height = rows.Cells,
            Width = columns.Cells,
            Origin = (nint)map.At(image, channel, 0, 0),
            RowStep = map.RowStride * sizeof(TStorage),
            ColumnStep = map.ColumnStride * sizeof(TStorage),
            Outside = (nint)zeros,
        };
    }

    /// <summary>A map in scratch memory, row by row, followed by a cell that stands for those outside.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="cells">Its first cell.</param>
    /// <param name="stride">The elements from one cell to the next.</param>
    public static DeformableMap OfScratch<TReal>(in AxisGrid rows, in AxisGrid columns, TReal* cells, int stride)
        where TReal : unmanaged => new()
        {
            Height = rows.Cells,
            Width = columns.Cells,
            Origin = (nint)cells,
            RowStep = (nint)columns.Cells * stride * sizeof(TReal),
            ColumnStep = stride * sizeof(TReal),
            Outside = (nint)(cells + (long)rows.Cells * columns.Cells * stride),
        };

    /// <summary>The address of a cell, which may lie outside.</summary>
    public nint Cell(int row, int column) =>
        row >= 0 && row < Height && column >= 0 && column < Width
            ? Origin + row * RowStep + column * ColumnStep
            : Outside;
}

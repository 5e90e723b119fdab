using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The addresses of the four cells around each point of a group of a run of queries, and the share that each cell has in its
/// point: what the loops over channels need, found before they start. Coordinates and shares are computed with the lanes
/// over queries. Cells outside the map have an address of their own, and points that do not contribute have shares of 0.
/// </summary>
internal readonly unsafe struct PointTable<TSimd, TStorage, T, TVector>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    /// <summary>The queries of a run.</summary>
    public const int Length = 16;

    /// <summary>The cells around a point: upper left, upper right, lower left, lower right.</summary>
    public const int Corners = 4;

    private readonly int points;
    private readonly bool hasSecond;
    private readonly T* offsets;
    private readonly T* cellRow;
    private readonly T* cellColumns;
    private readonly T* rows;
    private readonly T* columns;

    /// <summary>Takes scratch memory.</summary>
    /// <param name="scratch">The scratch memory.</param>
    /// <param name="points">The points of a group.</param>
    /// <param name="groups">The groups whose offsets are read at once.</param>
    /// <param name="hasSecond">Whether the cells of a second map are found as well.</param>
    public PointTable(ref ScratchAllocator scratch, int points, int groups, bool hasSecond = false)
    {
        this.points = points;
        this.hasSecond = hasSecond;
        int entries = points * Length;
        First = scratch.Take<long>(entries * Corners);
        Second = scratch.Take<long>(hasSecond ? entries * Corners : 0);
        Shares = scratch.Take<T>(entries * Corners);
        Down = scratch.Take<T>(entries);
        Across = scratch.Take<T>(entries);
        offsets = scratch.Take<T>(2L * groups * entries);
        cellRow = scratch.Take<T>(1);
        cellColumns = scratch.Take<T>(Length);
        rows = scratch.Take<T>(Length);
        columns = scratch.Take<T>(Length);
    }

    /// <summary>Gets the cells of the first map, [point][corner][query].</summary>
    public long* First { get; }

    /// <summary>Gets the cells of the second map, [point][corner][query].</summary>
    public long* Second { get; }

    /// <summary>Gets the shares, [point][corner][query].</summary>
    public T* Shares { get; }

    /// <summary>Gets the way from the upper cells to the lower, from 0 to 1, [point][query].</summary>
    public T* Down { get; }

    /// <summary>Gets the way from the left cells to the right, from 0 to 1, [point][query].</summary>
    public T* Across { get; }

    /// <summary>Gets the cells around all points of a query.</summary>
    public int CellsPerQuery => points * Corners;

    /// <summary>Begins a run: reads the offsets of some groups, and notes the cells that its queries belong to.</summary>
    public void Begin(
        in MapView<TStorage> view, in AxisGrid rowGrid, in AxisGrid columnGrid, in PixelSpan span, int firstGroup, int groups)
    {
        var map = new MapPointer<TStorage>(in view);
        TStorage* source = map.At(span.Image, 2 * points * firstGroup, span.Row, span.Column);
        QueryBlock<TSimd, TStorage, T, TVector>.Load(in map, source, offsets, Length, 2 * points * groups, span.Count);
        *cellRow = T.CreateTruncating(rowGrid.CellOf(span.Row));
        for (int i = 0; i < span.Count; i++)
            cellColumns[i] = T.CreateTruncating(columnGrid.CellOf(span.Column + i));
    }

    /// <summary>Fills the table for a group of the run that was begun.</summary>
    /// <param name="group">The group, counted from the first whose offsets were read.</param>
    /// <param name="queries">The queries of the run.</param>
    /// <param name="first">The map.</param>
    /// <param name="second">The second map, of the same size, where the table has cells of one.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(int group, int queries, in PointMap first, in PointMap second = default)
    {
        for (int point = 0; point < points; point++)
        {
            Locate(group, point);
            Place(point, queries, in first, in second);
        }
    }

    /// <summary>Multiplies the shares with a factor for every point, [point][query].</summary>
    public void Weigh(T* weights) => Weigh(weights, Shares);

    /// <summary>The shares, each multiplied with the factor of its point, [point][corner][query].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Weigh(T* weights, T* result)
    {
        for (int point = 0; point < points; point++)
        {
            for (int i = 0; i < Length; i += TSimd.Lanes)
            {
                var weight = TSimd.Load(weights + point * Length + i);
                int own = point * Corners * Length + i;
                for (int corner = own; corner < own + Corners * Length; corner += Length)
                    TSimd.Store(result + corner, TSimd.Multiply(weight, TSimd.Load(Shares + corner)));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Locate(int group, int point)
    {
        T* across = offsets + 2 * (group * points + point) * Length;
        T* down = across + Length;
        T* shares = Shares + point * Corners * Length;
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
            TSimd.Store(shares + i, TSimd.Subtract(wayUp, upperRight));
            TSimd.Store(shares + Length + i, upperRight);
            TSimd.Store(shares + 2 * Length + i, TSimd.Subtract(wayDown, lowerRight));
            TSimd.Store(shares + 3 * Length + i, lowerRight);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Place(int point, int queries, in PointMap first, in PointMap second)
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
    private bool IsInside(int query, in PointMap map) =>
        rows[query] >= T.Zero && rows[query] < T.CreateTruncating(map.Height - 1)
            && columns[query] >= T.Zero && columns[query] < T.CreateTruncating(map.Width - 1);

    // The addresses of four cells, as if all of them were inside.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block(TVector row, TVector column, long* cells, in PointMap map)
    {
        long next = map.Origin + map.RowStep;
        TSimd.StoreAddresses(cells, row, column, map.Origin, map.RowStep, map.ColumnStep);
        TSimd.StoreAddresses(cells + Length, row, column, map.Origin + map.ColumnStep, map.RowStep, map.ColumnStep);
        TSimd.StoreAddresses(cells + 2 * Length, row, column, next, map.RowStep, map.ColumnStep);
        TSimd.StoreAddresses(cells + 3 * Length, row, column, next + map.ColumnStep, map.RowStep, map.ColumnStep);
    }

    // A point that has cells outside the map around it, or does not contribute: lies a cell or more outside.
    private void PlaceAtEdge(int point, int query, in PointMap first, in PointMap second)
    {
        int entry = point * Length + query;
        int own = point * Corners * Length + query;
        T row = rows[query];
        T column = columns[query];
        bool isNear = row >= -T.One && row < T.CreateTruncating(first.Height)
            && column >= -T.One && column < T.CreateTruncating(first.Width);
        bool contributes = isNear
            && (row >= T.Zero || Down[entry] != T.Zero) && (column >= T.Zero || Across[entry] != T.Zero);
        int upper = contributes ? int.CreateTruncating(row) : first.Height;
        int left = contributes ? int.CreateTruncating(column) : first.Width;
        for (int corner = 0; corner < Corners; corner++)
        {
            int cell = own + corner * Length;
            First[cell] = first.Cell(upper + corner / 2, left + corner % 2);
            if (hasSecond)
                Second[cell] = second.Cell(upper + corner / 2, left + corner % 2);
            if (!contributes)
                Shares[cell] = T.Zero;
        }
        if (!contributes)
        {
            Down[entry] = T.Zero;
            Across[entry] = T.Zero;
        }
    }
}

/// <summary>The memory of a map that is sampled: addresses, and steps in bytes.</summary>
internal readonly unsafe struct PointMap
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
    public static PointMap Of<TStorage>(
        in MapView<TStorage> view, in AxisGrid rows, in AxisGrid columns, int image, int channel, TStorage* zeros)
        where TStorage : unmanaged
    {
        var map = new MapPointer<TStorage>(in view);
        return new PointMap
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
    public static PointMap OfScratch<T>(in AxisGrid rows, in AxisGrid columns, T* cells, int stride)
        where T : unmanaged => new()
        {
            Height = rows.Cells,
            Width = columns.Cells,
            Origin = (nint)cells,
            RowStep = (nint)columns.Cells * stride * sizeof(T),
            ColumnStep = stride * sizeof(T),
            Outside = (nint)(cells + (long)rows.Cells * columns.Cells * stride),
        };

    /// <summary>The address of a cell, which may lie outside.</summary>
    public nint Cell(int row, int column) =>
        row >= 0 && row < Height && column >= 0 && column < Width
            ? Origin + row * RowStep + column * ColumnStep
            : Outside;
}

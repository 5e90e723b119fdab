using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Where one point of each query of a run lies between four cells: the first of them, and the way to the others. The places
/// of a run are found with the lanes over queries.
/// </summary>
internal readonly unsafe struct PointPlaces<TSimd, TStorage, T, TVector>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int Length = PointRun<TStorage, T>.Length;

    /// <summary>Row and column of the first cell, whole numbers where the point lies in reach of the map.</summary>
    private readonly T* rows;
    private readonly T* columns;

    /// <summary>The columns of the cells that the queries belong to.</summary>
    private readonly T* cellColumns;

    public PointPlaces(ref ScratchAllocator scratch)
    {
        rows = scratch.Take<T>(Length);
        columns = scratch.Take<T>(Length);
        cellColumns = scratch.Take<T>(Length);
        Down = scratch.Take<T>(Length);
        Across = scratch.Take<T>(Length);
    }

    /// <summary>Gets the way from the first cell to the next row, from 0 to 1.</summary>
    public T* Down { get; }

    /// <summary>Gets the way from the first cell to the next column, from 0 to 1.</summary>
    public T* Across { get; }

    /// <summary>Begins a run: notes the cells that its queries belong to, which all points of the run start from.</summary>
    public void Begin(in PointSamplingParameters<TStorage> parameters, in PixelSpan span)
    {
        for (int i = 0; i < span.Count; i++)
            cellColumns[i] = T.CreateTruncating(parameters.Columns.CellOf(span.Column + i));
    }

    /// <summary>Finds the places of a point of the run that was begun.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Locate(
        in PointSamplingParameters<TStorage> parameters,
        in PixelSpan span,
        int point,
        in PointPlaces<TSimd, TStorage, T, TVector> places)
    {
        var offsets = new MapPointer<TStorage>(in parameters.Offsets);
        TStorage* across = offsets.At(span.Image, 2 * point, span.Row, span.Column);
        TSimd.Gather(across, offsets.ColumnStride, places.Across, span.Count);
        TSimd.Gather(across + offsets.ChannelStride, offsets.ColumnStride, places.Down, span.Count);
        var cellRow = TSimd.Broadcast(T.CreateTruncating(parameters.Rows.CellOf(span.Row)));
        for (int i = 0; i < Length; i += TSimd.Lanes)
        {
            var row = TSimd.Add(cellRow, TSimd.Load(places.Down + i));
            var column = TSimd.Add(TSimd.Load(places.cellColumns + i), TSimd.Load(places.Across + i));
            var firstRow = TSimd.Floor(row);
            var firstColumn = TSimd.Floor(column);
            TSimd.Store(places.rows + i, firstRow);
            TSimd.Store(places.columns + i, firstColumn);
            TSimd.Store(places.Down + i, TSimd.Subtract(row, firstRow));
            TSimd.Store(places.Across + i, TSimd.Subtract(column, firstColumn));
        }
    }

    /// <summary>
    /// The first of the four cells; false where the point lies a cell or more outside the map, or nowhere.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(int i, int height, int width, out int row, out int column)
    {
        T firstRow = rows[i];
        T firstColumn = columns[i];
        if (!(firstRow >= -T.One && firstColumn >= -T.One
            && firstRow < T.CreateTruncating(height) && firstColumn < T.CreateTruncating(width)))
        {
            row = 0;
            column = 0;
            return false;
        }
        row = int.CreateTruncating(firstRow);
        column = int.CreateTruncating(firstColumn);

        // Exactly a cell away from the map is outside.
        return (row >= 0 || Down[i] != T.Zero) && (column >= 0 || Across[i] != T.Zero);
    }
}

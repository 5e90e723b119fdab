using System.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// Where a point lies between four cells: (Row, Column) is the first of them, and Down and Across the fractions towards the
/// others.
/// </summary>
internal struct SamplePoint<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The row of the first cell, from −1.</summary>
    public int Row;

    /// <summary>The column of the first cell, from −1.</summary>
    public int Column;

    /// <summary>The fraction of the step to the next row, from 0 to 1.</summary>
    public TReal Down;

    /// <summary>The fraction of the step to the next column, from 0 to 1.</summary>
    public TReal Across;

    /// <summary>Whether the point contributes: it lies less than one cell outside the map.</summary>
    public bool Contributes;

    /// <summary>Finds a point of a query; <paramref name="point"/> counts the points of all groups.</summary>
    public static SamplePoint<TReal> Locate<TElement, TStorage>(
        in MapView<TStorage> offsets,
        in AxisGrid rows,
        in AxisGrid columns,
        int image,
        int point,
        int queryRow,
        int queryColumn)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
    {
        long offset = offsets.Offset(image, 2 * point, queryRow, queryColumn);
        var row = TElement.FromCount(rows.CellOf(queryRow))
            + TElement.Load(offsets.Data[offset + offsets.ChannelStride]);
        var column = TElement.FromCount(columns.CellOf(queryColumn))
            + TElement.Load(offsets.Data[offset]);
        var sample = default(SamplePoint<TReal>);
        sample.Contributes = row > -TReal.One && column > -TReal.One
            && row < TElement.FromCount(rows.Cells) && column < TElement.FromCount(columns.Cells);
        if (sample.Contributes)
        {
            sample.Row = TElement.Floor(row);
            sample.Column = TElement.Floor(column);
            sample.Down = row - TElement.FromCount(sample.Row);
            sample.Across = column - TElement.FromCount(sample.Column);
        }
        return sample;
    }
}

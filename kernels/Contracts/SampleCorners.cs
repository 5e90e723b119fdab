using System.Numerics;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Contracts;

/// <summary>The four cells around a point, as places in a map; a cell outside the map counts as 0.</summary>
internal struct SampleCorners
{
    /// <summary>The place of the upper left cell, or of any cell if that lies outside.</summary>
    public long Place;

    /// <summary>The step to the next row.</summary>
    public long RowStep;

    /// <summary>The step to the next column.</summary>
    public long ColumnStep;

    /// <summary>1 where the upper row lies inside the map, else 0.</summary>
    public int Upper;

    /// <summary>1 where the lower row lies inside the map, else 0.</summary>
    public int Lower;

    /// <summary>1 where the left column lies inside the map, else 0.</summary>
    public int Left;

    /// <summary>1 where the right column lies inside the map, else 0.</summary>
    public int Right;

    /// <summary>Finds the cells around a point that contributes.</summary>
    public static SampleCorners Locate<TStorage, TReal>(
        in MapView<TStorage> map,
        in AxisGrid rows,
        in AxisGrid columns,
        in SamplePoint<TReal> point,
        int image,
        int channel)
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => new()
        {
            Place = map.Offset(image, channel, point.Row, point.Column),
            RowStep = map.RowStride,
            ColumnStep = map.ColumnStride,
            Upper = point.Row >= 0 ? 1 : 0,
            Lower = point.Row + 1 < rows.Cells ? 1 : 0,
            Left = point.Column >= 0 ? 1 : 0,
            Right = point.Column + 1 < columns.Cells ? 1 : 0,
        };

    /// <summary>The four values, upper left, upper right, lower left, lower right.</summary>
    public readonly Pack4<TReal> Load<TElement, TStorage, TReal>(in MapView<TStorage> map)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var values = default(Pack4<TReal>);
        if (Upper + Left == 2)
            values.X = TElement.Load(map.Data[Place]);
        if (Upper + Right == 2)
            values.Y = TElement.Load(map.Data[Place + ColumnStep]);
        if (Lower + Left == 2)
            values.Z = TElement.Load(map.Data[Place + RowStep]);
        if (Lower + Right == 2)
            values.W = TElement.Load(map.Data[Place + RowStep + ColumnStep]);
        return values;
    }
}

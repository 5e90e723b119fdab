using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>Where a point lies between four cells, and the share of each: <see cref="Maps.SamplePoint{T}"/> on the CPU.</summary>
internal struct PointPlace<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public int Row;
    public int Column;
    public T Down;
    public T Across;

    /// <summary>
    /// Finds a point from the cell of its query and its offset; false where it lies a cell or more outside the map, or
    /// nowhere.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryLocate(int cellRow, int cellColumn, T down, T across, int height, int width, out PointPlace<T> place)
    {
        T row = T.CreateTruncating(cellRow) + down;
        T column = T.CreateTruncating(cellColumn) + across;
        place = default;
        if (!(row > -T.One && column > -T.One && row < T.CreateTruncating(height) && column < T.CreateTruncating(width)))
            return false;

        // Both are above −1, so cutting off after adding one rounds down.
        place.Row = int.CreateTruncating(row + T.One) - 1;
        place.Column = int.CreateTruncating(column + T.One) - 1;
        if (T.CreateTruncating(place.Row) > row)
            place.Row--;
        if (T.CreateTruncating(place.Column) > column)
            place.Column--;
        if (T.CreateTruncating(place.Row + 1) <= row)
            place.Row++;
        if (T.CreateTruncating(place.Column + 1) <= column)
            place.Column++;
        place.Down = row - T.CreateTruncating(place.Row);
        place.Across = column - T.CreateTruncating(place.Column);
        return true;
    }

    /// <summary>The share of a corner, counted upper left, upper right, lower left, lower right.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly T Share(int corner) =>
        ((corner & 2) == 0 ? T.One - Down : Down) * ((corner & 1) == 0 ? T.One - Across : Across);

    /// <summary>Whether a corner lies inside the map.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool IsInside(int corner, int height, int width) =>
        (uint)(Row + (corner >> 1)) < (uint)height && (uint)(Column + (corner & 1)) < (uint)width;
}

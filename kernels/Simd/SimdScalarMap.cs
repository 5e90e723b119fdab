using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>One value per query, [4][lanes], to and from a map [B, 1, s·H, s·W].</summary>
internal static unsafe class SimdScalarMap<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(
        T* values, in MapPointer<T> map, in Strip strip, int row, int quad, int scale, int lanes)
    {
        int members = Math.Min(4, scale * scale - quad * 4);
        for (int member = 0; member < members; member++)
        {
            StridedCopy.Scatter(
                values + member * lanes,
                Query(in map, in strip, row, quad * 4 + member, scale),
                scale * map.ColumnStride,
                strip.Columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(
        in MapPointer<T> map, in Strip strip, int row, int quad, int scale, T* values, int lanes)
    {
        new Span<T>(values, 4 * lanes).Clear();
        for (int member = 0; member < 4; member++)
        {
            StridedCopy.Gather(
                Query(in map, in strip, row, Math.Min(quad * 4 + member, scale * scale - 1), scale),
                scale * map.ColumnStride,
                values + member * lanes,
                strip.Columns);
        }
    }

    private static T* Query(in MapPointer<T> map, in Strip strip, int row, int query, int scale) =>
        map.At(strip.Image, 0, row * scale + query / scale, strip.Column * scale + query % scale);
}

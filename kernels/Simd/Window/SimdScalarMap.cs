using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>One value per query, [4][lanes], to and from a map [B, 1, OH, OW].</summary>
internal static unsafe class SimdScalarMap<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(
        T* values, in MapPointer<T> map, in Strip strip, int row, int pack, in WindowExtent extent, int lanes)
    {
        var first = StripQueries.Locate(in extent, row, strip.Column);
        for (int member = 0; member < 4; member++)
        {
            int query = pack * 4 + member;
            T* source = values + member * lanes;
            if (extent.IsUniform)
            {
                if (query < first.Count)
                {
                    StridedCopy.Scatter(
                        source,
                        first.At(in map, strip.Image, 0, query),
                        first.Columns * map.ColumnStride,
                        strip.Columns);
                }
                continue;
            }
            for (int lane = 0; lane < strip.Columns; lane++)
            {
                var queries = StripQueries.Locate(in extent, row, strip.Column + lane);
                if (query < queries.Count)
                    *queries.At(in map, strip.Image, 0, query) = source[lane];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(
        in MapPointer<T> map, in Strip strip, int row, int pack, in WindowExtent extent, T* values, int lanes)
    {
        new Span<T>(values, 4 * lanes).Clear();
        var first = StripQueries.Locate(in extent, row, strip.Column);
        for (int member = 0; member < 4; member++)
        {
            int query = pack * 4 + member;
            T* destination = values + member * lanes;
            if (extent.IsUniform)
            {
                StridedCopy.Gather(
                    first.At(in map, strip.Image, 0, query),
                    first.Columns * map.ColumnStride,
                    destination,
                    strip.Columns);
                continue;
            }
            for (int lane = 0; lane < strip.Columns; lane++)
            {
                var queries = StripQueries.Locate(in extent, row, strip.Column + lane);
                if (queries.Count > pack * 4)
                    destination[lane] = *queries.At(in map, strip.Image, 0, query);
            }
        }
    }
}

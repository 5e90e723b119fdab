using System.Runtime.Intrinsics.X86;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>When and how output is written past the caches.</summary>
internal static unsafe class StreamingStores
{
    // Smaller outputs fit a cache, where whatever reads them next finds them.
    private const long SmallestBytes = 8L << 20;

    /// <summary>Whether an output of so many values is large enough.</summary>
    public static bool IsWorthwhile<T>(long values)
        where T : unmanaged => values * sizeof(T) >= SmallestBytes;

    /// <summary>Whether an output is large, and every vector of its channels is aligned.</summary>
    public static bool IsWorthwhile<T>(in MapPointer<T> output, in WindowExtent extent, int channels, int vectorBytes)
        where T : unmanaged =>
        IsWorthwhile<T>((long)extent.Rows.Queries * extent.Columns.Queries * extent.Batch * channels)
            && IsAligned(in output, vectorBytes);

    /// <summary>Whether the first channel of every pixel of a channels-last map is aligned.</summary>
    public static bool IsAligned<T>(in MapPointer<T> map, int vectorBytes)
        where T : unmanaged =>
        (nint)map.At(0, 0, 0, 0) % vectorBytes == 0
            && map.BatchStride * sizeof(T) % vectorBytes == 0
            && map.RowStride * sizeof(T) % vectorBytes == 0
            && map.ColumnStride * sizeof(T) % vectorBytes == 0;

    /// <summary>Makes streamed output visible to other threads.</summary>
    public static void Complete()
    {
        if (Sse.IsSupported)
            Sse.StoreFence();
    }
}

using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>When output is written past the caches.</summary>
internal static unsafe class StreamingStores
{
    // Smaller outputs fit a cache, where whatever reads them next finds them.
    private const long SmallestBytes = 8L << 20;

    /// <summary>Whether an output is large, and every vector of its channels is aligned.</summary>
    public static bool Pay<T>(in MapPointer<T> output, in WindowExtent extent, int channels, int vectorBytes)
        where T : unmanaged
    {
        long bytes = (long)extent.Rows.Queries * extent.Columns.Queries * extent.Batch * channels * sizeof(T);
        return bytes >= SmallestBytes
            && (nint)output.At(0, 0, 0, 0) % vectorBytes == 0
            && output.BatchStride * sizeof(T) % vectorBytes == 0
            && output.RowStride * sizeof(T) % vectorBytes == 0
            && output.ColumnStride * sizeof(T) % vectorBytes == 0;
    }

    /// <summary>Makes streamed output visible to other threads.</summary>
    public static void Complete()
    {
        if (Sse.IsSupported)
            Sse.StoreFence();
    }
}

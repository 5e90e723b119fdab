using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>Mean and reciprocal deviation of a run of pixels, read from the map the forward saved them in.</summary>
internal static unsafe class PixelStatistics<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(in MapView<T> statistics, in PixelSpan span, T* mean, T* reciprocal, int length)
    {
        var map = new MapPointer<T>(in statistics);
        T* source = map.At(span.Image, 0, span.Row, span.Column);
        new Span<T>(mean, length).Clear();
        new Span<T>(reciprocal, length).Clear();
        StridedCopy.Gather(source, map.ColumnStride, mean, span.Count);
        StridedCopy.Gather(source + map.ChannelStride, map.ColumnStride, reciprocal, span.Count);
    }
}

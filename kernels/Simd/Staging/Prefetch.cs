using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>Asks for memory that the next step will read, for the first-level cache.</summary>
internal static unsafe class Prefetch
{
    private const int LineBytes = 64;

    /// <summary>Asks for some channels of a run of pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pixels<T>(in MapPointer<T> map, in PixelSpan span, int channel, int channels)
        where T : unmanaged
    {
        if (!Sse.IsSupported || span.Count <= 0)
            return;
        byte* first = (byte*)map.At(span.Image, channel, span.Row, span.Column);
        int runs = map.IsChannelsLast ? span.Count : channels;
        nint step = (map.IsChannelsLast ? map.ColumnStride : map.ChannelStride) * sizeof(T);
        int bytes = (map.IsChannelsLast ? channels : span.Count) * sizeof(T);
        for (int run = 0; run < runs; run++, first += step)
        {
            for (int at = 0; at < bytes; at += LineBytes)
                Sse.Prefetch0(first + at);
            Sse.Prefetch0(first + bytes - 1);
        }
    }
}

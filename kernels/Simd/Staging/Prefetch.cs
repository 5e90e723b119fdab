using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>Asks for memory that a later step will read.</summary>
internal static unsafe class Prefetch
{
    private const int LineBytes = 64;

    /// <summary>Asks for some channels of a run of pixels, for the first-level cache: the next step reads them.</summary>
    public static void Pixels<T>(in MapPointer<T> map, in PixelSpan span, int channel, int channels)
        where T : unmanaged => Pixels(in map, in span, channel, channels, later: false);

    /// <summary>Asks for them for the second-level cache: there are steps before that need the first.</summary>
    public static void LaterPixels<T>(in MapPointer<T> map, in PixelSpan span, int channel, int channels)
        where T : unmanaged => Pixels(in map, in span, channel, channels, later: true);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels<T>(in MapPointer<T> map, in PixelSpan span, int channel, int channels, bool later)
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
                Line(first + at, later);
            Line(first + bytes - 1, later);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Line(byte* address, bool later)
    {
        if (later)
            Sse.Prefetch1(address);
        else
            Sse.Prefetch0(address);
    }
}

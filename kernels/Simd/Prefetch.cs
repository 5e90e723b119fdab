using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Asks for the part of a channels-last map that the next row of a tile will read, while the current row is computed: the
/// pieces are too short for the hardware to foresee.
/// </summary>
internal static unsafe class Prefetch
{
    private const int LineBytes = 64;

    /// <summary>Asks for some channels of a run of positions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Channels<T>(
        in MapPointer<T> map, int image, int row, int column, int columns, int channel, int channels)
        where T : unmanaged
    {
        if (!Sse.IsSupported || !map.IsChannelsLast)
            return;
        var first = (byte*)map.At(image, channel, row, column);
        nint step = map.ColumnStride * sizeof(T);
        for (int i = 0; i < columns; i++)
        {
            for (int offset = 0; offset < channels * sizeof(T); offset += LineBytes)
                Sse.Prefetch1(first + offset);
            first += step;
        }
    }

    /// <summary>Asks for the next four channels of the staged rows of a window, for the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Runs<T>(T** taps, int window, nint offset, nint stride, int bytes)
        where T : unmanaged
    {
        if (!Sse.IsSupported)
            return;
        for (int row = 0; row < window; row++)
        {
            T* run = taps[row * window] + offset;
            for (int channel = 0; channel < 4; channel++)
            {
                for (int at = 0; at < bytes; at += LineBytes)
                    Sse.Prefetch0((byte*)run + at);
                run += stride;
            }
        }
    }
}

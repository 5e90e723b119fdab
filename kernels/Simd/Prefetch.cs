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

    /// <summary>Asks for some rows of positions, from a column on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<T>(
        in MapPointer<T> map, int image, int row, int rows, int column, int columns, int channels)
        where T : unmanaged
    {
        if (!Sse.IsSupported || !map.IsChannelsLast)
            return;
        long bytes = ((columns - 1) * (long)map.ColumnStride + channels) * sizeof(T);
        for (int i = 0; i < rows; i++)
        {
            var first = (byte*)map.At(image, 0, row + i, column);
            for (long offset = 0; offset < bytes; offset += LineBytes)
                Sse.Prefetch1(first + offset);
        }
    }

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
}

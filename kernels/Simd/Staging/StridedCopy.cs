using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>Copies between a run of values and every n-th value of another run.</summary>
internal static unsafe class StridedCopy
{
    /// <summary>destination[i] = source[i·stride].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Gather<T>(T* source, nint stride, T* destination, int count)
        where T : unmanaged
    {
        if (stride == 1)
        {
            Copy(source, destination, count);
            return;
        }
        int i = 0;
        if (stride == 2 && typeof(T) == typeof(float) && Avx512F.IsSupported)
        {
            var from = (float*)source;
            var to = (float*)destination;

            // The second load starts one early, so that nothing past the last wanted value is read.
            var order = Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
            for (; i + 16 <= count; i += 16)
            {
                var low = Vector512.Load(from + 2 * i);
                var high = Vector512.Load(from + 2 * i + 15);
                Avx512F.PermuteVar16x32x2(low, order, high).Store(to + i);
            }
        }
        for (; i < count; i++)
            destination[i] = source[i * stride];
    }

    /// <summary>destination[i·stride] = source[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scatter<T>(T* source, T* destination, nint stride, int count)
        where T : unmanaged
    {
        if (stride == 1)
        {
            Copy(source, destination, count);
            return;
        }
        for (int i = 0; i < count; i++)
            destination[i * stride] = source[i];
    }

    /// <summary>
    /// destination[2i] = even[i], destination[2i + 1] = odd[i]; past the caches if asked for and aligned.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave<T>(T* even, T* odd, T* destination, int count, bool streams = false)
        where T : unmanaged
    {
        int i = 0;
        if (typeof(T) == typeof(float))
            i = InterleaveSingle((float*)even, (float*)odd, (float*)destination, count, streams);
        else if (sizeof(T) == sizeof(ushort))
            i = InterleaveShort((ushort*)even, (ushort*)odd, (uint*)destination, count);
        for (; i < count; i++)
        {
            destination[2 * i] = even[i];
            destination[2 * i + 1] = odd[i];
        }
    }

    // Returns how many were done.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int InterleaveSingle(float* even, float* odd, float* destination, int count, bool streams)
    {
        int i = 0;
        if (Avx512F.IsSupported)
        {
            var low = Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            var high = low + Vector512.Create(8);
            streams = streams && (nint)destination % Vector512<byte>.Count == 0;
            for (; i + 16 <= count; i += 16)
            {
                var a = Vector512.Load(even + i);
                var b = Vector512.Load(odd + i);
                var first = Avx512F.PermuteVar16x32x2(a, low, b);
                var second = Avx512F.PermuteVar16x32x2(a, high, b);
                if (streams)
                {
                    first.StoreAlignedNonTemporal(destination + 2 * i);
                    second.StoreAlignedNonTemporal(destination + 2 * i + 16);
                    continue;
                }
                first.Store(destination + 2 * i);
                second.Store(destination + 2 * i + 16);
            }
        }
        if (Avx.IsSupported)
        {
            for (; i + 8 <= count; i += 8)
            {
                var low = Avx.UnpackLow(Vector256.Load(even + i), Vector256.Load(odd + i));
                var high = Avx.UnpackHigh(Vector256.Load(even + i), Vector256.Load(odd + i));
                Avx.Permute2x128(low, high, 0x20).Store(destination + 2 * i);
                Avx.Permute2x128(low, high, 0x31).Store(destination + 2 * i + 8);
            }
        }
        return i;
    }

    // Pairs as the two halves of a whole number. Returns how many were done.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int InterleaveShort(ushort* even, ushort* odd, uint* destination, int count)
    {
        int i = 0;
        if (!BitConverter.IsLittleEndian)
            return i;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 16 <= count; i += 16)
            {
                var low = Vector512.WidenLower(Vector256.Load(even + i).ToVector512Unsafe());
                var high = Vector512.WidenLower(Vector256.Load(odd + i).ToVector512Unsafe());
                (low | (high << 16)).Store(destination + i);
            }
        }
        for (; i + 8 <= count; i += 8)
        {
            var low = Vector256.WidenLower(Vector128.Load(even + i).ToVector256Unsafe());
            var high = Vector256.WidenLower(Vector128.Load(odd + i).ToVector256Unsafe());
            (low | (high << 16)).Store(destination + i);
        }
        return i;
    }

    // Runs are about as long as a vector, so a call to the general copy would cost more than the copy. The last vector
    // overlaps the one before it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy<T>(T* source, T* destination, int count)
        where T : unmanaged
    {
        int lanes = Vector512<T>.Count;
        if (!Vector512.IsHardwareAccelerated || count < lanes)
        {
            CopyNarrow(source, destination, count);
            return;
        }
        int i = 0;
        for (; i + lanes <= count; i += lanes)
            Vector512.Load(source + i).Store(destination + i);
        if (i < count)
            Vector512.Load(source + count - lanes).Store(destination + count - lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyNarrow<T>(T* source, T* destination, int count)
        where T : unmanaged
    {
        int lanes = Vector256<T>.Count;
        if (!Vector256.IsHardwareAccelerated || count < lanes)
        {
            new ReadOnlySpan<T>(source, count).CopyTo(new Span<T>(destination, count));
            return;
        }
        int i = 0;
        for (; i + lanes <= count; i += lanes)
            Vector256.Load(source + i).Store(destination + i);
        if (i < count)
            Vector256.Load(source + count - lanes).Store(destination + count - lanes);
    }
}

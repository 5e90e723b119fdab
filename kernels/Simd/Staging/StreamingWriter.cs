using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Writes runs of bytes past the caches. Where one run goes on where the one before it ended, the cache line in which
/// they meet is written once and whole: two writes of parts of it would wait for the line to be read from memory.
/// </summary>
internal unsafe struct StreamingWriter
{
    private const int Line = 64;

    // The bytes of a line that were written so far, and the place after them.
    private fixed byte begun[Line];
    private byte* next;
    private int count;

    /// <summary>Writes a run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Write(byte* source, byte* destination, long bytes)
    {
        if (destination != next)
            Finish();
        next = destination + bytes;
        if (count > 0)
        {
            int taken = (int)Math.Min(bytes, Line - count);
            fixed (byte* line = begun)
            {
                Buffer.MemoryCopy(source, line + count, taken, taken);
                count += taken;
                if (count < Line)
                    return;
                Stream(line, destination + taken - Line);
            }
            source += taken;
            destination += taken;
            bytes -= taken;
            count = 0;
        }
        long head = Math.Min(bytes, (nint)(-(nint)destination & (Line - 1)));
        Buffer.MemoryCopy(source, destination, head, head);
        for (; head + Line <= bytes; head += Line)
            Stream(source + head, destination + head);
        count = (int)(bytes - head);
        fixed (byte* line = begun)
            Buffer.MemoryCopy(source + head, line, count, count);
    }

    /// <summary>Writes what the last run left of a line.</summary>
    public void Finish()
    {
        fixed (byte* line = begun)
            Buffer.MemoryCopy(line, next - count, count, count);
        count = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stream(byte* source, byte* destination)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512.Load(source).StoreAlignedNonTemporal(destination);
            return;
        }
        Vector256.Load(source).StoreAlignedNonTemporal(destination);
        Vector256.Load(source + Line / 2).StoreAlignedNonTemporal(destination + Line / 2);
    }
}

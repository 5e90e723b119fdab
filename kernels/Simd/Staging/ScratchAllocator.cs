namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Hands out consecutive, aligned pieces of scratch memory; with no memory behind it, it only counts.
/// </summary>
internal unsafe ref struct ScratchAllocator(byte* memory)
{
    private const long Alignment = 64;

    /// <summary>Gets whether there is no memory behind it.</summary>
    public readonly bool OnlyCounts => memory is null;

    /// <summary>Gets the bytes handed out.</summary>
    public long Used { get; private set; }

    public T* Take<T>(long count)
        where T : unmanaged
    {
        byte* piece = memory + Used;
        Used += (count * sizeof(T) + Alignment - 1) / Alignment * Alignment;
        return (T*)piece;
    }
}

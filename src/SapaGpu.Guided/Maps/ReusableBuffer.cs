namespace SapaGpu.Guided;

/// <summary>
/// A buffer that is reused for every rectangle, each of which would otherwise leave megabytes of garbage behind.
/// </summary>
internal sealed class ReusableBuffer
{
    private float[] memory = [];

    /// <summary>Memory for some numbers, valid until the next call; its content is arbitrary.</summary>
    public Memory<float> Take(long count)
    {
        if (memory.Length < count)
            memory = new float[count];
        return memory.AsMemory(0, (int)count);
    }
}

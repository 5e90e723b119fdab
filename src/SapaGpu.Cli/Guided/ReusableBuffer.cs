namespace SapaGpu.Cli.Guided;

/// <summary>
/// Numbers that are needed again and again in about the same amount; without it, every rectangle would leave megabytes
/// of garbage behind.
/// </summary>
internal sealed class ReusableBuffer
{
    private float[] memory = [];

    /// <summary>Room for some numbers, valid until the next call; the content is arbitrary.</summary>
    public Memory<float> Take(long count)
    {
        if (memory.Length < count)
            memory = new float[count];
        return memory.AsMemory(0, (int)count);
    }
}

namespace SapaGpu.Checkpoints;

/// <summary>Arithmetic on dimensions that does not overflow.</summary>
internal static class StateShape
{
    /// <summary>The largest supported number of dimensions.</summary>
    public const int MaximumRank = 16;

    /// <summary>The product of the dimensions; <see cref="long.MaxValue"/> if it is larger than that.</summary>
    public static long ElementCount(ReadOnlySpan<int> shape)
    {
        if (shape.Contains(0))
            return 0;
        Int128 count = 1;
        foreach (int size in shape)
            count = Int128.Min(count * size, long.MaxValue);
        return (long)count;
    }

    /// <summary>The dimensions as PyTorch writes them.</summary>
    public static string Text(IEnumerable<int> shape) => $"[{string.Join(", ", shape)}]";

    /// <summary>Checks a dimension that was read from a file.</summary>
    /// <exception cref="InvalidDataException">It is negative, or too large for any array.</exception>
    public static int Checked(long size) => size is >= 0 and <= int.MaxValue
        ? (int)size
        : throw new InvalidDataException($"a dimension of {size} is negative or too large");
}

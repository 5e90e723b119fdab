namespace SapaGpu.Fuzz.Running;

/// <summary>Everything that a case draws, which follows from the seed and the number of the case alone.</summary>
internal sealed class Draw(long seed, long number)
{
    public Random Random { get; } = new(Mix(seed, number));

    /// <summary>A whole number from one to the other, both included.</summary>
    public int Int(int least, int most) => Random.Next(least, most + 1);

    /// <summary>True once in so many times.</summary>
    public bool OnceIn(int times) => Random.Next(times) == 0;

    public T Of<T>(params ReadOnlySpan<T> choices) => choices[Random.Next(choices.Length)];

    public T Among<T>(IReadOnlyList<T> choices) => choices[Random.Next(choices.Count)];

    public T Enum<T>()
        where T : struct, Enum => Of(System.Enum.GetValues<T>());

    // The finaliser of SplitMix64: neighbouring seeds and cases have nothing in common.
    private static int Mix(long seed, long number)
    {
        ulong bits = unchecked((ulong)seed * 0x9E3779B97F4A7C15UL + (ulong)number + 0x632BE59BD9B4E019UL);
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9UL;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBUL;
        return unchecked((int)(bits ^ (bits >> 31)));
    }
}

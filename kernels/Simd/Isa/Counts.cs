namespace SapaGpu.Kernels.Simd;

/// <summary>
/// A number as a type, so that code written out for the largest is compiled for each: what is beyond it is left out,
/// and no register is taken for it.
/// </summary>
internal interface ICount
{
    /// <summary>Gets the number.</summary>
    static abstract int Value { get; }
}

/// <summary>1.</summary>
internal readonly struct One : ICount
{
    public static int Value => 1;
}

/// <summary>2.</summary>
internal readonly struct Two : ICount
{
    public static int Value => 2;
}

/// <summary>3.</summary>
internal readonly struct Three : ICount
{
    public static int Value => 3;
}

/// <summary>4.</summary>
internal readonly struct Four : ICount
{
    public static int Value => 4;
}

/// <summary>5.</summary>
internal readonly struct Five : ICount
{
    public static int Value => 5;
}

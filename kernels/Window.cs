namespace SapaGpu.Kernels;

/// <summary>
/// The width K of the window as a type parameter: a kernel compiled for a fixed width has it as a constant, the
/// kernel compiled for <see cref="AnyWindow"/> reads it from the problem.
/// </summary>
public interface IWindow
{
    /// <summary>The width, given the width that the problem states.</summary>
    static abstract int Size(int stated);
}

/// <summary>A window of 3×3.</summary>
public readonly struct Window3 : IWindow
{
    /// <inheritdoc/>
    public static int Size(int stated) => 3;
}

/// <summary>A window of 5×5.</summary>
public readonly struct Window5 : IWindow
{
    /// <inheritdoc/>
    public static int Size(int stated) => 5;
}

/// <summary>A window of 7×7.</summary>
public readonly struct Window7 : IWindow
{
    /// <inheritdoc/>
    public static int Size(int stated) => 7;
}

/// <summary>A window of any width.</summary>
public readonly struct AnyWindow : IWindow
{
    /// <inheritdoc/>
    public static int Size(int stated) => stated;
}

/// <summary>The upsampling ratio s as a type parameter, in the manner of <see cref="IWindow"/>.</summary>
public interface IScale
{
    /// <summary>The ratio, given the ratio that the problem states.</summary>
    static abstract int Ratio(int stated);
}

/// <summary>A ratio of 2: the four queries of a cell are one quad.</summary>
public readonly struct Scale2 : IScale
{
    /// <inheritdoc/>
    public static int Ratio(int stated) => 2;
}

/// <summary>Any integer ratio.</summary>
public readonly struct AnyScale : IScale
{
    /// <inheritdoc/>
    public static int Ratio(int stated) => stated;
}

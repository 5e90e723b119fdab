using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Policies;

/// <summary>
/// The width K of the window as a type parameter: a kernel compiled for a fixed width has it as a constant, the
/// kernel compiled for <see cref="AnyWindow"/> reads it from the problem.
/// </summary>
internal interface IWindow
{
    /// <summary>Gets whether the width is known when the kernel is compiled.</summary>
    static abstract bool IsFixed { get; }

    /// <summary>The width, given the width that the problem states.</summary>
    static abstract int Size(int stated);
}

/// <summary>A window of 3×3.</summary>
internal readonly struct Window3 : IWindow
{
    public static bool IsFixed => true;

    public static int Size(int stated) => 3;
}

/// <summary>A window of 5×5.</summary>
internal readonly struct Window5 : IWindow
{
    public static bool IsFixed => true;

    public static int Size(int stated) => 5;
}

/// <summary>A window of 7×7.</summary>
internal readonly struct Window7 : IWindow
{
    public static bool IsFixed => true;

    public static int Size(int stated) => 7;
}

/// <summary>A window of any width.</summary>
internal readonly struct AnyWindow : IWindow
{
    public static bool IsFixed => false;

    public static int Size(int stated) => stated;
}

/// <summary>
/// The ratio of the maps as a type parameter, in the manner of <see cref="IWindow"/>: which queries belong to a cell.
/// </summary>
internal interface IScale
{
    /// <summary>Gets whether every cell has the same number of queries.</summary>
    static abstract bool IsUniform { get; }

    /// <summary>Gets whether every cell has two rows of two queries.</summary>
    static abstract bool IsTwo { get; }

    /// <summary>The first query of a cell.</summary>
    static abstract int First(in AxisGrid axis, int cell);

    /// <summary>The queries of a cell.</summary>
    static abstract int Count(in AxisGrid axis, int cell);
}

/// <summary>A ratio of 2: the four queries of a cell are one query pack.</summary>
internal readonly struct Scale2 : IScale
{
    public static bool IsUniform => true;

    public static bool IsTwo => true;

    public static int First(in AxisGrid axis, int cell) => cell * 2;

    public static int Count(in AxisGrid axis, int cell) => 2;
}

/// <summary>Any integer ratio.</summary>
internal readonly struct AnyScale : IScale
{
    public static bool IsUniform => true;

    public static bool IsTwo => false;

    public static int First(in AxisGrid axis, int cell) => cell * axis.Scale;

    public static int Count(in AxisGrid axis, int cell) => axis.Scale;
}

/// <summary>Any ratio at all, and windows that are moved inside the map.</summary>
internal readonly struct AnyRatio : IScale
{
    public static bool IsUniform => false;

    public static bool IsTwo => false;

    public static int First(in AxisGrid axis, int cell) => axis.First(cell);

    public static int Count(in AxisGrid axis, int cell) => axis.Count(cell);
}

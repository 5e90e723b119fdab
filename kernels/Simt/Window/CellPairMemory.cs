using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>How a program on cell pairs divides the shared memory, of which a group has 48 KB.</summary>
/// <remarks>
/// ILGPU allocates what is known when it compiles, and takes expressions for known that have no branches.
/// </remarks>
internal interface ICellPairMemory
{
    /// <summary>The packs of four channels of keys and queries that are staged at a time: 4 or a multiple of 8.</summary>
    static abstract int DotPacks<TWindow>()
        where TWindow : struct, IWindow;

    /// <summary>The packs of four channels of values that are staged at a time, a multiple of 8.</summary>
    static abstract int SumPacks<TWindow>()
        where TWindow : struct, IWindow;

    /// <summary>The packs of eight channels of keys and queries for matrix units: 4 or 8.</summary>
    static abstract int MatrixDotPacks<TWindow>()
        where TWindow : struct, IWindow;

    /// <summary>The packs of eight channels of values for matrix units: 8 or 16.</summary>
    static abstract int MatrixSumPacks<TWindow>()
        where TWindow : struct, IWindow;
}

/// <summary>One array of a pack for each cell and tap: the most room for staging, so that most warps have sums.</summary>
internal readonly struct OneArray : ICellPairMemory
{
    public static int DotPacks<TWindow>()
        where TWindow : struct, IWindow => 8 * Math.Min(2, 8 - TWindow.Size(0));

    // For three of three warps, four of five, two of seven.
    public static int SumPacks<TWindow>()
        where TWindow : struct, IWindow => 8 * Math.Min(TWindow.Size(0), 9 - TWindow.Size(0));

    public static int MatrixDotPacks<TWindow>()
        where TWindow : struct, IWindow => 8;

    public static int MatrixSumPacks<TWindow>()
        where TWindow : struct, IWindow => 16;
}

/// <summary>Two arrays: the weights and their gradients.</summary>
internal readonly struct TwoArrays : ICellPairMemory
{
    public static int DotPacks<TWindow>()
        where TWindow : struct, IWindow => 4 * Math.Min(2, 8 - TWindow.Size(0));

    public static int SumPacks<TWindow>()
        where TWindow : struct, IWindow => 8 * Math.Min(2, 8 - TWindow.Size(0));

    public static int MatrixDotPacks<TWindow>()
        where TWindow : struct, IWindow => 4 * Math.Min(2, 8 - TWindow.Size(0));

    public static int MatrixSumPacks<TWindow>()
        where TWindow : struct, IWindow => 8 * Math.Min(2, 8 - TWindow.Size(0));
}

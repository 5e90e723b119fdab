namespace SapaGpu.Kernels.Simt;

/// <summary>
/// One axis of average pooling from n cells to N: output i is the mean over the cells from ⌊i·n/N⌋ to before ⌈(i + 1)·n/N⌉.
/// </summary>
internal static class PoolingAxis
{
    /// <summary>The first cell of an output.</summary>
    public static int First(int output, int cells, int outputs) => (int)((long)output * cells / outputs);

    /// <summary>The cell after the last one of an output.</summary>
    public static int End(int output, int cells, int outputs) =>
        (int)(((output + 1L) * cells + outputs - 1) / outputs);

    /// <summary>The first output that a cell is part of.</summary>
    public static int FirstOutput(int cell, int cells, int outputs) => (int)((long)cell * outputs / cells);

    /// <summary>The output after the last one that a cell is part of.</summary>
    public static int EndOutput(int cell, int cells, int outputs) =>
        (int)(((cell + 1L) * outputs - 1) / cells) + 1;
}

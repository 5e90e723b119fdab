namespace SapaGpu.Workloads.Npy;

/// <summary>An array of a .npy file: dimensions and values in C order.</summary>
internal sealed record NpyArray(int[] Shape, double[] Values)
{
    /// <summary>How the elements were stored, such as "&lt;f4".</summary>
    public string Descriptor { get; init; } = "<f8";

    /// <summary>The dimensions as numpy writes them.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}

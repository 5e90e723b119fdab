namespace SapaGpu.Cli.Npy;

/// <summary>An array of a .npy file: dimensions and values in C order.</summary>
internal sealed record NpyArray(int[] Shape, double[] Values)
{
    /// <summary>The dimensions as numpy writes them.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}

namespace SapaGpu.Onnx;

/// <summary>Between which sizes the standard operators of a file upsample.</summary>
public enum OnnxRatio
{
    /// <summary>
    /// Any two sizes: as <see cref="Integer"/> where the sizes of a run are multiples, else tap by tap; the file has both, and a
    /// node If between them.
    /// </summary>
    Any,

    /// <summary>
    /// Outputs whose rows and columns are multiples of those of the map, by products of matrices for each cell, without a node
    /// If; a run with other sizes fails.
    /// </summary>
    Integer,
}

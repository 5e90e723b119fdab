namespace SapaGpu.Onnx;

/// <summary>Between which sizes the standard operators of a file upsample.</summary>
public enum OnnxRatio
{
    /// <summary>Any two sizes, tap by tap.</summary>
    Any,

    /// <summary>
    /// Outputs whose rows and columns are multiples of those of the map, by products of matrices for each cell; a run with
    /// other sizes fails.
    /// </summary>
    Integer,
}

namespace SapaGpu.Onnx.Graph;

/// <summary>Element types of ONNX tensors, with their numbers in TensorProto.DataType.</summary>
internal enum TensorType
{
    Float32 = 1,
    Int64 = 7,
    Float16 = 10,
}

/// <summary>Element types of maps as those of ONNX.</summary>
internal static class TensorTypes
{
    /// <summary>Returns the type of an exported map.</summary>
    /// <exception cref="NotSupportedException">Files of this type are not written.</exception>
    public static TensorType Of(ElementType type) => type switch
    {
        ElementType.Float32 => TensorType.Float32,
        ElementType.Float16 => TensorType.Float16,
        _ => throw new NotSupportedException(
            $"ONNX files have maps of Float32 or Float16; got {type}. Load the parameters into a module of float or Half."),
    };
}

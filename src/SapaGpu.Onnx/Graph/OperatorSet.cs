namespace SapaGpu.Onnx.Graph;

/// <summary>The operator sets that files refer to, as OperatorSetIdProto.</summary>
internal static class OperatorSet
{
    /// <summary>Gets the standard operators: 17 is the first with LayerNormalization.</summary>
    public static ProtobufMessage Standard => Of(string.Empty, 17);

    public static ProtobufMessage Of(string domain, int version) => new ProtobufMessage().Text(1, domain).Int(2, version);
}

using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx;

/// <summary>The name of deformable attention and its attributes.</summary>
internal static class DeformableOperators
{
    public const string Attention = "DeformableAttention";

    public const string Groups = "groups";
    public const string Points = "points";

    public static IEnumerable<OnnxAttribute> AttributesOf(DeformableAttentionOptions options) =>
        [OnnxAttribute.Of(Groups, (long)options.Groups), OnnxAttribute.Of(Points, (long)options.Points)];
}

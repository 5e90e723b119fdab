using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx;

/// <summary>The names of the window operators, their attributes and the values of these.</summary>
internal static class WindowOperators
{
    public const string Attention = "WindowAttention";
    public const string Reassembly = "WindowReassembly";

    public const string Window = "kernel_size";
    public const string Heads = "heads";
    public const string Border = "border";
    public const string Normalisation = "normalisation";
    public const string HeadValue = "head_value";

    public static readonly IReadOnlyList<(string Name, BorderRule Value)> Borders =
    [
        ("zero_logit", BorderRule.ZeroLogit), ("masked", BorderRule.Masked), ("replicate", BorderRule.Replicate),
        ("shifted", BorderRule.Shifted),
    ];

    public static readonly IReadOnlyList<(string Name, ScoreNormalisation Value)> Normalisations =
    [
        ("softmax", ScoreNormalisation.Softmax), ("sigmoid", ScoreNormalisation.Sigmoid), ("none", ScoreNormalisation.None),
    ];

    public static readonly IReadOnlyList<(string Name, HeadValue Value)> HeadValues =
    [
        ("split", SapaGpu.HeadValue.Split), ("shared", SapaGpu.HeadValue.Shared),
    ];

    /// <summary>Returns the attributes of a node; a reassembly, whose weights are given, has no normalisation.</summary>
    public static IEnumerable<OnnxAttribute> AttributesOf(string operation, WindowAttentionOptions options)
    {
        yield return OnnxAttribute.Of(Window, (long)options.Window);
        yield return OnnxAttribute.Of(Heads, (long)options.Heads);
        yield return OnnxAttribute.Of(Border, NameOf(Borders, options.Border));
        yield return OnnxAttribute.Of(HeadValue, NameOf(HeadValues, options.HeadValue));
        if (operation == Attention)
            yield return OnnxAttribute.Of(Normalisation, NameOf(Normalisations, options.Normalisation));
    }

    private static string NameOf<T>(IReadOnlyList<(string Name, T Value)> names, T value)
        where T : struct, Enum => names.Single(pair => EqualityComparer<T>.Default.Equals(pair.Value, value)).Name;
}

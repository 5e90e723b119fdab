namespace SapaGpu.Onnx;

/// <summary>The name of cross-resolution attention and its attributes.</summary>
internal static class CrossOperators
{
    public const string Attention = "CrossAttention";

    public const string Rule = "rule";
    public const string KernelHeight = "kernel_height";
    public const string KernelWidth = "kernel_width";
    public const string Ratio = "ratio";
    public const string Heads = "heads";
    public const string AveragesHeads = "averages_heads";
    public const string ScoreScale = "score_scale";
    public const string Normalisation = WindowOperators.Normalisation;

    /// <summary>The rules without a window; all others are borders of one.</summary>
    public const string Whole = "whole";

    public const string OfRatio = "ratio";
}

using SapaGpu.Workloads.Vectors;

namespace SapaGpu.TorchSharp.Tests;

/// <summary>Ranges and options of the test vectors of cross-resolution attention.</summary>
internal static class CrossVectors
{
    public static CrossAttentionOptions Options(VectorCase vector) => new()
    {
        Heads = vector.Integer("heads"),
        AveragesHeads = vector.Text("head_value") == "mean",
        ScoreScale = vector.NumberOr("score_scale", 1.0),
    };

    public static WindowRanges Ranges(VectorCase vector)
    {
        int height = vector.Integer("height"), width = vector.Integer("width");
        int outputHeight = vector.Integer("out_height"), outputWidth = vector.Integer("out_width");
        return vector.Text("rule") switch
        {
            "global" => WindowRanges.Whole(height, width, outputHeight, outputWidth),
            "ratio" => WindowRanges.Ratio(
                height, width, outputHeight, outputWidth, (float)vector.NumberOr("ratio", 0)),
            "masked" => Window(BorderRule.Masked),
            _ => Window(BorderRule.Shifted),
        };

        WindowRanges Window(BorderRule border)
        {
            var window = vector.Integers("window");
            return WindowRanges.Window(height, width, outputHeight, outputWidth, window[0], window[1], border);
        }
    }
}

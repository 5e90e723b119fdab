namespace SapaGpu.Workloads.Vectors;

/// <summary>How cases of cross-resolution attention are computed with the library.</summary>
internal static class VectorCross
{
    /// <summary>Computes output, gradients, and second derivatives where the case has them.</summary>
    public static void Attention<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        var vector = operands.Case;
        var (query, key, value) = (operands["q"], operands["k"], operands["v"]);
        var bias = vector.Find("key_bias") is null ? null : operands["key_bias"];
        var options = Options(vector);
        operands.Keep(
            "out", CrossAttention.Forward(query, key, value, Ranges(vector), options, bias, out var context));
        using (context)
        {
            var gradOutput = operands["grad_out"];
            var gradients = CrossAttention.Backward(context, gradOutput);
            operands.Keep("grad_q", gradients.Query!);
            operands.Keep("grad_k", gradients.Key!);
            operands.Keep("grad_v", gradients.Value!);
            if (bias is not null)
                operands.Keep("grad_key_bias", gradients.KeyBias!);
            if (vector.Find("dir_q") is null)
                return;
            var second = CrossAttention.DoubleBackward(
                context, gradOutput, operands["dir_q"], operands["dir_k"], operands["dir_v"]);
            operands.Keep("grad2_grad_out", second.GradOutput!);
            operands.Keep("grad2_q", second.Query!);
            operands.Keep("grad2_k", second.Key!);
            operands.Keep("grad2_v", second.Value!);
            if (bias is not null)
                operands.Keep("grad2_key_bias", second.KeyBias!);
        }
    }

    /// <summary>The heads and the score scale that a case states.</summary>
    public static CrossAttentionOptions Options(VectorCase vector) => new()
    {
        Heads = vector.Integer("heads"),
        AveragesHeads = vector.Text("head_value") == "mean",
        ScoreScale = vector.NumberOr("score_scale", 1.0),
    };

    /// <summary>The ranges that a case states.</summary>
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

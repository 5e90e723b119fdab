namespace SapaGpu.Workloads.Vectors;

/// <summary>How each operator of the test vectors is computed with the library.</summary>
internal static class VectorOperators
{
    /// <summary>Gets the operators, and the order of their maps.</summary>
    public static IReadOnlyDictionary<string, VectorLayout> Layouts { get; } = new Dictionary<string, VectorLayout>
    {
        ["sim"] = VectorLayout.ChannelsLast,
        ["atn"] = VectorLayout.ChannelsLast,
        ["attention"] = VectorLayout.ChannelsLast,
        ["sapa_i"] = VectorLayout.ChannelsLast,
        ["sapa_b"] = VectorLayout.ChannelsLast,
        ["sapa_g"] = VectorLayout.ChannelsLast,
        ["sapa_cat"] = VectorLayout.ChannelsLast,
        ["sapa_gn"] = VectorLayout.ChannelsFirst,
        ["sapa_d"] = VectorLayout.ChannelsFirst,
        ["deform_qk"] = VectorLayout.ChannelsFirst,
        ["deform_av"] = VectorLayout.ChannelsFirst,
        ["deform_attention"] = VectorLayout.ChannelsFirst,
        ["carafe"] = VectorLayout.ChannelsFirst,
        ["carafe_pack"] = VectorLayout.ChannelsFirst,
        ["interpolate"] = VectorLayout.ChannelsFirst,
        ["cross_attention"] = VectorLayout.ChannelsFirst,
        ["rope"] = VectorLayout.ChannelsFirst,
        ["adaptive_avg_pool"] = VectorLayout.ChannelsFirst,
        ["resize_bilinear"] = VectorLayout.ChannelsFirst,
        ["rms_norm"] = VectorLayout.ChannelsFirst,
        ["norm_silu_conv"] = VectorLayout.ChannelsFirst,
        ["feature_unification"] = VectorLayout.ChannelsFirst,
        ["naf"] = VectorLayout.ChannelsFirst,
        ["anyup"] = VectorLayout.ChannelsFirst,
    };

    /// <summary>Computes outputs and gradients of a case.</summary>
    public static void Run<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        if (VectorLayers.Of(operands.Case) is { } layer)
        {
            VectorLayers.Run(operands, layer);
            return;
        }
        using var module = VectorModules.ImageGuided<T>(operands.Case, operands.Device);
        if (module is not null)
        {
            VectorModules.ImageGuided(operands, module);
            return;
        }
        switch (operands.Case.Op)
        {
            case "sim":
                Similarity(operands);
                break;
            case "atn":
                Reassembly(operands, "attn", "v", heads: 1);
                break;
            case "carafe":
                Reassembly(operands, "masks", "features", operands.Case.Integer("group_size"));
                break;
            case "attention":
                Attention(operands);
                break;
            case "deform_qk":
                DeformableScores(operands);
                break;
            case "deform_av":
                DeformableSums(operands);
                break;
            case "deform_attention":
                Deformable(operands);
                break;
            case "interpolate":
                Interpolation(operands);
                break;
            case "cross_attention":
                VectorCross.Attention(operands);
                break;
            case "sapa_d":
                VectorModules.Deformable(operands);
                break;
            case "carafe_pack":
                VectorModules.Carafe(operands);
                break;
            default:
                VectorModules.Sapa(operands);
                break;
        }
    }

    /// <summary>The options of window attention that a case states.</summary>
    public static WindowAttentionOptions Window(VectorCase vector) => new()
    {
        Window = vector.Integer("kernel_size"),
        Border = vector.Flag("mask_out_of_map") ? BorderRule.Masked : BorderRule.ZeroLogit,
        Normalisation = vector.Text("normalization") switch
        {
            "sigmoid" => ScoreNormalisation.Sigmoid,
            "none" => ScoreNormalisation.None,
            _ => ScoreNormalisation.Softmax,
        },
    };

    /// <summary>Groups and points that a case states.</summary>
    public static DeformableAttentionOptions Points(VectorCase vector) =>
        new() { Groups = vector.Integer("groups"), Points = vector.Integer("num_point") };

    private static void Similarity<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        var (query, key) = (operands["q"], operands["k"]);
        var options = new WindowAttentionOptions { Window = operands.Case.Integer("kernel_size") };
        operands.Keep("out", WindowSimilarity.Forward(query, key, options));
        var (gradQuery, gradKey) = WindowSimilarity.Backward(query, key, operands["grad_out"]);
        operands.Keep("grad_q", gradQuery!);
        operands.Keep("grad_k", gradKey!);
    }

    private static void Reassembly<T>(VectorOperands<T> operands, string weightsName, string valueName, int heads)
        where T : unmanaged
    {
        var (weights, value) = (operands[weightsName], operands[valueName]);
        var options = new WindowAttentionOptions { Window = operands.Case.Integer("kernel_size"), Heads = heads };
        operands.Keep("out", WindowReassembly.Forward(weights, value, options));
        var (gradWeights, gradValue) = WindowReassembly.Backward(weights, value, operands["grad_out"], options);
        operands.Keep($"grad_{weightsName}", gradWeights!);
        operands.Keep($"grad_{valueName}", gradValue!);
    }

    private static void Attention<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        var options = Window(operands.Case);
        var output = WindowAttention.Forward(
            operands["q"], operands["k"], operands["v"], options, out var context);
        operands.Keep("out", output);
        using (context)
        {
            var gradients = WindowAttention.Backward(context, operands["grad_out"]);
            operands.Keep("grad_q", gradients.Query!);
            operands.Keep("grad_k", gradients.Key!);
            operands.Keep("grad_v", gradients.Value!);
        }
    }

    private static void DeformableScores<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        var options = Points(operands.Case);
        var (query, key, offsets) = (operands["q"], operands["k"], operands["offset"]);
        operands.Keep("out", DeformableSimilarity.Forward(query, key, offsets, options));
        var (gradQuery, gradKey, gradOffsets) =
            DeformableSimilarity.Backward(query, key, offsets, operands["grad_out"], options);
        operands.Keep("grad_q", gradQuery!);
        operands.Keep("grad_k", gradKey!);
        operands.Keep("grad_offset", gradOffsets!);
    }

    private static void DeformableSums<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        var options = Points(operands.Case);
        var (weights, value, offsets) = (operands["attn"], operands["v"], operands["offset"]);
        operands.Keep("out", DeformableReassembly.Forward(weights, value, offsets, options));
        var (gradWeights, gradValue, gradOffsets) =
            DeformableReassembly.Backward(weights, value, offsets, operands["grad_out"], options);
        operands.Keep("grad_attn", gradWeights!);
        operands.Keep("grad_v", gradValue!);
        operands.Keep("grad_offset", gradOffsets!);
    }

    private static void Deformable<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        var options = Points(operands.Case);
        var (query, key, value) = (operands["q"], operands["k"], operands["v"]);
        var offsets = operands["offset"];
        operands.Keep("out", DeformableAttention.Forward(query, key, value, offsets, options));
        var gradients = DeformableAttention.Backward(query, key, value, offsets, operands["grad_out"], options);
        operands.Keep("grad_q", gradients.Query!);
        operands.Keep("grad_k", gradients.Key!);
        operands.Keep("grad_v", gradients.Value!);
        operands.Keep("grad_offset", gradients.Offsets!);
    }

    private static void Interpolation<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        var input = operands["x"];
        var mode = operands.Case.Text("mode") == "nearest" ? InterpolationMode.Nearest : InterpolationMode.Bilinear;
        bool corners = operands.Case.Flag("align_corners");
        int scale = operands.Case.Integer("scale");
        var (height, width) = (input.Shape.Height, input.Shape.Width);
        operands.Keep("out", Interpolate.Forward(input, height * scale, width * scale, mode, corners));
        operands.Keep("grad_x", Interpolate.Backward(operands["grad_out"], height, width, mode, corners));
    }
}

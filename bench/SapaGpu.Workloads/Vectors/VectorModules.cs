namespace SapaGpu.Workloads.Vectors;

/// <summary>How each module of the test vectors is computed with the library.</summary>
internal static class VectorModules
{
    /// <summary>The options of a SAPA module that a case states.</summary>
    public static SapaOptions Options(VectorCase vector)
    {
        var window = VectorOperators.Window(vector);
        bool isInnerProduct = vector.Op == "sapa_i";
        int channels = isInnerProduct ? vector.Integer("channels") : 0;
        return new SapaOptions
        {
            Similarity = vector.Op switch
            {
                "sapa_i" => Similarity.InnerProduct,
                "sapa_g" => Similarity.GatedBilinear,
                "sapa_cat" => Similarity.Concatenated,
                _ => Similarity.Bilinear,
            },
            FeatureNorm = vector.Op switch
            {
                "sapa_i" => vector.Text("norm") == "none" ? FeatureNormKind.None : FeatureNormKind.Layer,
                "sapa_gn" => vector.Flag("norm") ? FeatureNormKind.Group : FeatureNormKind.None,
                _ => FeatureNormKind.Layer,
            },
            NormGroups = vector.Op == "sapa_gn" ? vector.Integer("num_groups") : 1,
            EncoderChannels = isInnerProduct ? channels : vector.Integer("y_channels"),
            DecoderChannels = isInnerProduct ? channels : vector.Integer("x_channels"),
            EmbeddingChannels = isInnerProduct ? channels : vector.Integer("embedding_dim"),
            ValueChannels = vector.Flag("v_embed") ? vector.Integer("out_channels") : null,
            Window = window.Window,
            Border = window.Border,
            Normalisation = window.Normalisation,
            HasBias = vector.Flag("qkv_bias"),
            Epsilon = vector.NumberOr("eps", 1e-5),
        };
    }

    public static void Sapa<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        using var module = new SapaUpsampler<T>(operands.Device, Options(operands.Case));
        operands.Fill(module);
        operands.Keep("out", module.Forward(operands["y"], operands["x"], out var context));
        using (context)
            Keep(operands, module.Backward(context, operands["grad_out"]));
    }

    /// <summary>The options of a SAPA-D module that a case states.</summary>
    public static SapaDeformableOptions DeformableAttentionOptions(VectorCase vector) => new()
    {
        EncoderChannels = vector.Integer("y_channels"),
        DecoderChannels = vector.Integer("x_channels"),
        EmbeddingChannels = vector.Integer("embedding_dim"),
        Groups = vector.Integer("groups"),
        Points = vector.Integer("num_point"),
        Scale = vector.Integer("scale"),
        HighResolutionOffsets = vector.Flag("high_offset"),
        FeatureNorm = vector.Flag("norm") ? FeatureNormKind.Group : FeatureNormKind.None,
        NormGroups = vector.Integer("num_groups"),
        HasBias = vector.Flag("qkv_bias"),
        Epsilon = vector.NumberOr("eps", 1e-5),
    };

    /// <summary>The options of a CARAFE module that a case states.</summary>
    public static CarafeOptions CarafeOptions(VectorCase vector) => new()
    {
        Channels = vector.Integer("channels"),
        CompressedChannels = vector.Integer("compressed_channels"),
        Window = vector.Integer("up_kernel"),
        Groups = vector.Integer("up_group"),
        Scale = vector.Integer("scale"),
        EncoderKernel = vector.Integer("encoder_kernel"),
        EncoderDilation = vector.Integer("encoder_dilation"),
    };

    public static void Deformable<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        using var module = new SapaDeformableUpsampler<T>(operands.Device, DeformableAttentionOptions(operands.Case));
        operands.Fill(module);
        operands.Keep("out", module.Forward(operands["y"], operands["x"], out var context));
        using (context)
            Keep(operands, module.Backward(context, operands["grad_out"]));
    }

    public static void Carafe<T>(VectorOperands<T> operands)
        where T : unmanaged
    {
        using var module = new CarafeUpsampler<T>(operands.Device, CarafeOptions(operands.Case));
        operands.Fill(module);
        operands.Keep("out", module.Forward(operands["x"], out var context));
        using (context)
        {
            var gradients = module.Backward(context, operands["grad_out"]);
            operands.Keep("grad_x", gradients.Features);
            operands.Keep(gradients.Parameters);
        }
    }

    /// <summary>The options of a case of NAF.</summary>
    public static NafOptions NafOptions(VectorCase vector) => new()
    {
        Channels = vector.Integer("dim"),
        Heads = vector.Integer("heads_attn"),
        RotaryHeads = vector.Integer("heads_rope"),
        Window = vector.Integer("kernel_size"),
        Blocks = vector.Integer("img_layers"),
        NormGroups = vector.Integer("num_groups"),
        RotaryBase = vector.NumberOr("rope_base", 100),
        Epsilon = vector.NumberOr("eps", 1e-5),
    };

    /// <summary>The options of a case of AnyUp.</summary>
    public static AnyUpOptions AnyUpOptions(VectorCase vector) => new()
    {
        Channels = vector.Integer("qk_dim"),
        Heads = vector.Integer("num_heads"),
        ImageKernel = vector.Integer("kernel_size"),
        FeatureKernel = vector.Integer("kernel_size_lfu"),
        FeatureKernels = vector.Integer("lfu_dim"),
        WindowRatio = vector.NumberOr("window_ratio", 0.1),
        NormGroups = vector.Integer("num_groups"),
        Epsilon = vector.NumberOr("eps", 1e-5),
        RootMeanSquareEpsilon = vector.NumberOr("rms_eps", 1.0 / (1 << 23)),
    };

    /// <summary>The module of a case with an image; null if the case is of something else.</summary>
    public static ImageGuidedUpsampler<T>? ImageGuided<T>(VectorCase vector, ComputeDevice device)
        where T : unmanaged => vector.Op switch
        {
            "naf" => new NafUpsampler<T>(device, NafOptions(vector)),
            "anyup" => new AnyUpUpsampler<T>(device, AnyUpOptions(vector)),
            _ => null,
        };

    /// <summary>The output of a case with an image, from a module that has its parameters.</summary>
    public static FeatureMap<T> Forward<T>(VectorOperands<T> operands, ImageGuidedUpsampler<T> module)
        where T : unmanaged => module.Forward(
            operands["image"],
            operands["features"],
            operands.Case.Integer("out_height"),
            operands.Case.Integer("out_width"));

    public static void ImageGuided<T>(VectorOperands<T> operands, ImageGuidedUpsampler<T> module)
        where T : unmanaged
    {
        operands.Fill(module);
        int height = operands.Case.Integer("out_height"), width = operands.Case.Integer("out_width");
        operands.Keep("out", module.Forward(operands["image"], operands["features"], height, width, out var context));
        using (context)
        {
            var gradients = module.Backward(context, operands["grad_out"]);
            operands.Keep("grad_image", gradients.Image);
            operands.Keep("grad_features", gradients.Features);
            operands.Keep(gradients.Parameters);
        }
    }

    private static void Keep<T>(VectorOperands<T> operands, SapaGradients<T> gradients)
        where T : unmanaged
    {
        operands.Keep("grad_y", gradients.Encoder);
        operands.Keep("grad_x", gradients.Decoder);
        operands.Keep(gradients.Parameters);
    }
}

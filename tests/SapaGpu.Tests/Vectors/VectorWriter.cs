using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Tests.Modules;
using SapaGpu.Tests.Operators;
using SapaGpu.Workloads.Vectors;

namespace SapaGpu.Tests.Vectors;

/// <summary>
/// Writes the vectors that the project ships, computed by the reference with exact derivatives. They are written anew
/// by the explicit test below, with SAPAGPU_VECTORS_OUT naming the folder. Maps hold values that every element type
/// holds exactly.
/// </summary>
[TestFixture]
public sealed class VectorWriter
{
    /// <summary>Gets the cases.</summary>
    public static IReadOnlyList<(string Name, Action<CaseBuilder> Build)> Cases { get; } =
    [
        ("sim_k3_s2", builder => Similarity(builder, new WindowProblem(2, 3, 4, 3, 2, 5, 1))),
        ("sim_k5_s3_tiny", builder => Similarity(builder, new WindowProblem(1, 1, 2, 5, 3, 4, 1))),
        ("atn_k3_s2", builder => Reassembly(builder, new WindowProblem(2, 3, 4, 3, 2, 1, 5))),
        ("atn_k7_s1", builder => Reassembly(builder, new WindowProblem(1, 4, 2, 7, 1, 1, 8))),
        ("attention_k5_s2", builder => Attention(
            builder, new WindowProblem(1, 3, 5, 5, 2, 8, 6), BorderRule.ZeroLogit, 1)),
        ("attention_k5_s2_masked", builder => Attention(
            builder, new WindowProblem(1, 3, 5, 5, 2, 8, 6), BorderRule.Masked, 1)),
        ("attention_k3_s4_c1", builder => Attention(
            builder, new WindowProblem(2, 2, 3, 3, 4, 3, 1), BorderRule.ZeroLogit, 1)),
        ("attention_large_scores", builder => Attention(
            builder, new WindowProblem(1, 3, 3, 3, 2, 4, 4), BorderRule.Masked, 8)),
        ("attention_sigmoid", builder => Attention(builder, ScoreNormalisation.Sigmoid)),
        ("attention_none", builder => Attention(builder, ScoreNormalisation.None)),
        ("sapa_b_k5_s2", builder => Sapa(builder, Options)),
        ("sapa_i_plain", builder => Sapa(builder, InnerProduct with { FeatureNorm = FeatureNormKind.None })),
        ("sapa_i_layer_norm", builder => Sapa(builder, InnerProduct)),
        ("sapa_g_v_embed", builder => Sapa(
            builder, Options with { Similarity = SapaGpu.Similarity.GatedBilinear, ValueChannels = 3 })),
        ("sapa_cat_masked", builder => Sapa(
            builder, Options with { Similarity = SapaGpu.Similarity.Concatenated, Border = BorderRule.Masked })),
        ("sapa_gn_small", builder => Sapa(builder, Options with { FeatureNorm = FeatureNormKind.Group })),
        ("sapa_d_high", builder => Deformable(builder, highResolution: true, hasNorm: false)),
        ("sapa_d_low_norm", builder => Deformable(builder, highResolution: false, hasNorm: true)),
        ("deform_qk_small", builder => DeformableScores(builder)),
        ("deform_av_small", builder => DeformableReassembly(builder)),
        ("deform_attention_small", builder => DeformableAttention(builder)),
        ("carafe_groups", builder => CarafeReassembly(builder)),
        ("carafe_pack_dilated", builder => CarafePack(builder)),
        ("interpolate_bilinear", builder => Interpolation(builder, InterpolationMode.Bilinear, alignCorners: false)),
        ("interpolate_bilinear_corners", builder => Interpolation(
            builder, InterpolationMode.Bilinear, alignCorners: true)),
        ("interpolate_nearest", builder => Interpolation(builder, InterpolationMode.Nearest, alignCorners: false)),
    ];

    private static SapaOptions Options =>
        new() { EncoderChannels = 4, DecoderChannels = 6, EmbeddingChannels = 5, NormGroups = 2 };

    private static SapaOptions InnerProduct =>
        Options with { Similarity = SapaGpu.Similarity.InnerProduct, EncoderChannels = 6, EmbeddingChannels = 6 };

    private static DeformableProblem Points => new(1, 2, 3, 4, 6, 2, 3, 2, 2);

    [Test]
    [Explicit("Writes the vectors to SAPAGPU_VECTORS_OUT.")]
    public void Write()
    {
        string? folder = Environment.GetEnvironmentVariable("SAPAGPU_VECTORS_OUT");
        Assert.That(folder, Is.Not.Null, "SAPAGPU_VECTORS_OUT names no folder");
        WriteAll(folder!, corruptOutputs: false);
    }

    /// <summary>Writes all cases; with one output value off by a hundredth where that is asked for.</summary>
    public static void WriteAll(string folder, bool corruptOutputs)
    {
        foreach (var (name, build) in Cases)
        {
            var builder = new CaseBuilder(name, corruptOutputs);
            build(builder);
            builder.Write(Path.Combine(folder, name));
        }
        var index = new { Cases = Cases.Select(c => new { c.Name, Op = CaseBuilder.OpOf(c.Name), Folder = c.Name }) };
        File.WriteAllText(
            Path.Combine(folder, "index.json"), JsonSerializer.Serialize(index, VectorJson.Options) + "\n");
    }

    private static void Similarity(CaseBuilder builder, WindowProblem problem)
    {
        var operands = Exact(new AttentionCase(problem, BorderRule.ZeroLogit));
        builder.Set(problem);
        builder.Add("q", "input", operands.Query);
        builder.Add("k", "input", operands.Key);
        builder.Finish(
            () => Reference.Similarity(operands.Query, operands.Key, problem.Window),
            Exact(ReferenceMap.Random(new Random(9), problem.Shape.WeightsShape)));
    }

    private static void Reassembly(CaseBuilder builder, WindowProblem problem)
    {
        var operands = Exact(new AttentionCase(problem, BorderRule.ZeroLogit));
        var weights = Exact(ReferenceMap.Random(new Random(9), problem.Shape.WeightsShape));
        builder.Set(problem);
        builder.Add("attn", "input", weights);
        builder.Add("v", "input", operands.Value);
        builder.Finish(() => Reference.Reassembly(weights, operands.Value), operands.GradOutput);
    }

    private static void Attention(CaseBuilder builder, WindowProblem problem, BorderRule border, float magnitude)
    {
        var operands = Exact(new AttentionCase(problem, border));
        for (int i = 0; i < operands.Query.Values.Length; i++)
            operands.Query.Values[i] *= magnitude;
        Attention(builder, operands, ScoreNormalisation.Softmax);
        builder.Finish(operands.Forward, operands.GradOutput);
    }

    private static void Attention(CaseBuilder builder, ScoreNormalisation normalisation)
    {
        var operands = Exact(new AttentionCase(new WindowProblem(1, 2, 3, 3, 2, 3, 4), BorderRule.ZeroLogit));
        Attention(builder, operands, normalisation);
        builder.Finish(
            () => Reference.Attention(
                operands.Query,
                operands.Key,
                operands.Value,
                new WindowAttentionOptions { Window = operands.Problem.Window, Normalisation = normalisation }),
            operands.GradOutput);
    }

    private static void Attention(CaseBuilder builder, AttentionCase operands, ScoreNormalisation normalisation)
    {
        builder.Set(operands.Problem);
        builder.Parameters.Add("normalization", NameOf(normalisation));
        builder.Parameters.Add("mask_out_of_map", operands.Border == BorderRule.Masked);
        builder.Add("q", "input", operands.Query);
        builder.Add("k", "input", operands.Key);
        builder.Add("v", "input", operands.Value);
    }

    private static void Sapa(CaseBuilder builder, SapaOptions options)
    {
        var sizes = new SapaSizes(1, 2, 3, 4, 6);
        builder.Set(new WindowProblem(
            sizes.Batch, sizes.Height, sizes.Width, options.Window, 2, options.EmbeddingChannels, options.OutputChannels));
        builder.Parameters.Add("normalization", NameOf(options.Normalisation));
        builder.Parameters.Add("mask_out_of_map", options.Border == BorderRule.Masked);
        builder.Parameters.Add("eps", options.Epsilon);
        if (options.Similarity == SapaGpu.Similarity.InnerProduct)
        {
            builder.Parameters.Add("channels", options.DecoderChannels);
            builder.Parameters.Add("norm", options.FeatureNorm == FeatureNormKind.None ? "none" : "layer_norm");
        }
        else
        {
            builder.Parameters.Add("y_channels", options.EncoderChannels);
            builder.Parameters.Add("x_channels", options.DecoderChannels);
            builder.Parameters.Add("embedding_dim", options.EmbeddingChannels);
            builder.Parameters.Add("qkv_bias", options.HasBias);
            builder.Parameters.Add("v_embed", options.ValueChannels is not null);
            builder.Parameters.Add("out_channels", options.OutputChannels);
        }
        if (options.FeatureNorm == FeatureNormKind.Group)
        {
            builder.Parameters.Add("norm", true);
            builder.Parameters.Add("num_groups", options.NormGroups);
        }
        Module(builder, SapaCase.Of<BFloat16>(options, sizes));
    }

    private static void Deformable(CaseBuilder builder, bool highResolution, bool hasNorm)
    {
        var options = new SapaDeformableOptions
        {
            EncoderChannels = 2,
            DecoderChannels = 4,
            EmbeddingChannels = 3,
            Groups = 2,
            Points = 3,
            NormGroups = 2,
            FeatureNorm = hasNorm ? FeatureNormKind.Group : FeatureNormKind.None,
            HighResolutionOffsets = highResolution,
        };
        builder.Set(1, 2, 3, options.Scale);
        builder.Parameters.Add("y_channels", options.EncoderChannels);
        builder.Parameters.Add("x_channels", options.DecoderChannels);
        builder.Parameters.Add("embedding_dim", options.EmbeddingChannels);
        builder.Parameters.Add("groups", options.Groups);
        builder.Parameters.Add("num_point", options.Points);
        builder.Parameters.Add("high_offset", options.HighResolutionOffsets);
        builder.Parameters.Add("norm", options.FeatureNorm == FeatureNormKind.Group);
        builder.Parameters.Add("num_groups", options.NormGroups);
        builder.Parameters.Add("qkv_bias", options.HasBias);
        builder.Parameters.Add("eps", options.Epsilon);
        Module(builder, DeformableCase.Of<BFloat16>(options));
    }

    private static void CarafePack(CaseBuilder builder)
    {
        var options = new CarafeOptions
        {
            Channels = 4,
            CompressedChannels = 2,
            Window = 3,
            Groups = 2,
            EncoderDilation = 2,
        };
        builder.Set(1, 2, 3, options.Scale);
        builder.Parameters.Add("channels", options.Channels);
        builder.Parameters.Add("compressed_channels", options.CompressedChannels);
        builder.Parameters.Add("up_kernel", options.Window);
        builder.Parameters.Add("up_group", options.Groups);
        builder.Parameters.Add("encoder_kernel", options.EncoderKernel);
        builder.Parameters.Add("encoder_dilation", options.EncoderDilation);
        Module(builder, CarafeCase.Of<BFloat16>(options));
    }

    private static void Module(CaseBuilder builder, ModuleCase operands)
    {
        foreach (var map in operands.Inputs.Values.Append(operands.GradOutput))
            Exact(map);
        foreach (var (name, map) in operands.Inputs)
            builder.Add(name, "input", map);
        using var module = operands.Create<double>(TestDevices.Open("cpu"));
        foreach (var parameter in module.Parameters)
            builder.AddParameter(parameter.Name, operands.Parameters[parameter.Name], parameter.Shape);
        builder.Finish(operands.Forward, operands.GradOutput);
    }

    private static void DeformableScores(CaseBuilder builder)
    {
        var operands = PointOperands(builder);
        builder.Add("q", "input", operands.Query);
        builder.Add("k", "input", operands.Key);
        builder.Add("offset", "input", operands.Offsets);
        builder.Finish(operands.Scores, operands.GradScores, PerPoint);
    }

    private static void DeformableReassembly(CaseBuilder builder)
    {
        var operands = PointOperands(builder);
        builder.Add("attn", "input", operands.Weights, PerPoint);
        builder.Add("v", "input", operands.Value);
        builder.Add("offset", "input", operands.Offsets);
        builder.Finish(operands.Reassemble, operands.GradOutput);
    }

    private static void DeformableAttention(CaseBuilder builder)
    {
        var operands = PointOperands(builder);
        builder.Add("q", "input", operands.Query);
        builder.Add("k", "input", operands.Key);
        builder.Add("v", "input", operands.Value);
        builder.Add("offset", "input", operands.Offsets);
        builder.Finish(operands.Attention, operands.GradOutput);
    }

    private static int[] PerPoint =>
        [Points.Batch, Points.Groups, Points.Points, Points.OutputHeight, Points.OutputWidth];

    private static DeformableOperands PointOperands(CaseBuilder builder)
    {
        builder.Set(Points.Batch, Points.Height, Points.Width, scale: 2);
        builder.Parameters.Add("groups", Points.Groups);
        builder.Parameters.Add("num_point", Points.Points);
        return new DeformableOperands(Points).Rounded<BFloat16>().Rounded<Half>();
    }

    private static void CarafeReassembly(CaseBuilder builder)
    {
        var random = new Random(10);
        var features = Exact(ReferenceMap.Random(random, new MapShape(1, 4, 2, 3)));
        var masks = Exact(ReferenceMap.Random(random, new MapShape(1, 18, 4, 6)));
        builder.Set(1, 2, 3, scale: 2);
        builder.Parameters.Add("kernel_size", 3);
        builder.Parameters.Add("group_size", 2);
        builder.Parameters.Add("channels", features.Shape.Channels);
        builder.Add("features", "input", features);
        builder.Add("masks", "input", masks);
        builder.Finish(
            () => Reference.Reassembly(masks, features, heads: 2),
            Exact(ReferenceMap.Random(random, new MapShape(1, 4, 4, 6))));
    }

    private static void Interpolation(CaseBuilder builder, InterpolationMode mode, bool alignCorners)
    {
        var random = new Random(12);
        var input = Exact(ReferenceMap.Random(random, new MapShape(2, 2, 2, 3)));
        builder.Set(2, 2, 3, scale: 3);
        builder.Parameters.Add("mode", mode == InterpolationMode.Nearest ? "nearest" : "bilinear");
        builder.Parameters.Add("align_corners", alignCorners);
        builder.Parameters.Add("channels", input.Shape.Channels);
        builder.Add("x", "input", input);
        builder.Finish(
            () => ReferenceInterpolation.Resize(input, 6, 9, mode, alignCorners),
            Exact(ReferenceMap.Random(random, new MapShape(2, 2, 6, 9))));
    }

    private static string NameOf(ScoreNormalisation normalisation) => normalisation switch
    {
        ScoreNormalisation.Sigmoid => "sigmoid",
        ScoreNormalisation.None => "none",
        _ => "softmax",
    };

    private static AttentionCase Exact(AttentionCase operands)
    {
        foreach (var map in new[] { operands.Query, operands.Key, operands.Value, operands.GradOutput })
            Exact(map);
        return operands;
    }

    // Few bits, and none of them too small for half precision.
    private static ReferenceMap Exact(ReferenceMap map) => map.Rounded<BFloat16>().Rounded<Half>();
}

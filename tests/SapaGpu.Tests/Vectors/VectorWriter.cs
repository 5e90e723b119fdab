using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Cli.Vectors;
using SapaGpu.Tests.Operators;

namespace SapaGpu.Tests.Vectors;

/// <summary>
/// Writes the vectors that the project ships, computed by the reference with exact derivatives. They are written anew by
/// the explicit test below, with SAPAGPU_VECTORS_OUT naming the folder.
/// </summary>
[TestFixture]
public sealed class VectorWriter
{
    private const double Epsilon = 1e-5;

    /// <summary>Gets the cases.</summary>
    public static IReadOnlyList<(string Name, Action<CaseBuilder> Build)> Cases { get; } =
    [
        ("sim_k3_s2", builder => Similarity(builder, new WindowProblem(2, 3, 4, 3, 2, 5, 1))),
        ("sim_k5_s3_tiny", builder => Similarity(builder, new WindowProblem(1, 1, 2, 5, 3, 4, 1))),
        ("atn_k3_s2", builder => Reassembly(builder, new WindowProblem(2, 3, 4, 3, 2, 1, 5))),
        ("atn_k7_s1", builder => Reassembly(builder, new WindowProblem(1, 4, 2, 7, 1, 1, 8))),
        ("attention_k5_s2", builder => Attention(builder, new WindowProblem(1, 3, 5, 5, 2, 8, 6), BorderRule.ZeroLogit, 1)),
        ("attention_k5_s2_masked", builder => Attention(builder, new WindowProblem(1, 3, 5, 5, 2, 8, 6), BorderRule.Masked, 1)),
        ("attention_k3_s4_c1", builder => Attention(builder, new WindowProblem(2, 2, 3, 3, 4, 3, 1), BorderRule.ZeroLogit, 1)),
        ("attention_large_scores", builder => Attention(builder, new WindowProblem(1, 3, 3, 3, 2, 4, 4), BorderRule.Masked, 8)),
        ("sapa_b_k5_s2", builder => Module(builder, new WindowProblem(1, 3, 4, 5, 2, 6, 7), 5)),
    ];

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
        File.WriteAllText(Path.Combine(folder, "index.json"), JsonSerializer.Serialize(index, VectorJson.Options) + "\n");
    }

    private static void Similarity(CaseBuilder builder, WindowProblem problem)
    {
        var operands = new AttentionCase(problem, BorderRule.ZeroLogit);
        builder.Set(problem);
        builder.Add("q", "input", operands.Query);
        builder.Add("k", "input", operands.Key);
        builder.Finish(
            () => Reference.Similarity(operands.Query, operands.Key, problem.Window),
            ReferenceMap.Random(new Random(9), problem.Shape.WeightsShape));
    }

    private static void Reassembly(CaseBuilder builder, WindowProblem problem)
    {
        var operands = new AttentionCase(problem, BorderRule.ZeroLogit);
        var weights = ReferenceMap.Random(new Random(9), problem.Shape.WeightsShape);
        builder.Set(problem);
        builder.Add("attn", "input", weights);
        builder.Add("v", "input", operands.Value);
        builder.Finish(() => Reference.Reassembly(weights, operands.Value), operands.GradOutput);
    }

    private static void Attention(CaseBuilder builder, WindowProblem problem, BorderRule border, float magnitude)
    {
        var operands = new AttentionCase(problem, border);
        for (int i = 0; i < operands.Query.Values.Length; i++)
            operands.Query.Values[i] *= magnitude;
        builder.Set(problem);
        builder.Parameters.Add("normalization", "softmax");
        builder.Parameters.Add("mask_out_of_map", border == BorderRule.Masked);
        builder.Add("q", "input", operands.Query);
        builder.Add("k", "input", operands.Key);
        builder.Add("v", "input", operands.Value);
        builder.Finish(operands.Forward, operands.GradOutput);
    }

    private static void Module(CaseBuilder builder, WindowProblem problem, int encoderChannels)
    {
        var random = new Random(11);
        var shape = problem.Shape;
        var encoder = ReferenceMap.Random(
            random, new TensorShape(problem.Batch, encoderChannels, shape.OutputShape.Height, shape.OutputShape.Width));
        var decoder = ReferenceMap.Random(random, shape.ValueShape);
        var parameters = new Dictionary<string, ReferenceMap>();
        builder.Set(problem);
        builder.Parameters.Add("normalization", "softmax");
        builder.Parameters.Add("mask_out_of_map", false);
        builder.Parameters.Add("v_embed", false);
        builder.Parameters.Add("qkv_bias", true);
        builder.Parameters.Add("eps", Epsilon);
        builder.Parameters.Add("embedding_dim", problem.EmbeddingChannels);
        builder.Parameters.Add("y_channels", encoderChannels);
        builder.Parameters.Add("x_channels", problem.ValueChannels);
        builder.Add("y", "input", encoder);
        builder.Add("x", "input", decoder);
        Projection("norm_y", "q", encoderChannels);
        Projection("norm_x", "k", problem.ValueChannels);
        builder.Finish(
            () => Reference.SapaB(encoder, decoder, parameters, problem.Window, BorderRule.ZeroLogit, Epsilon),
            ReferenceMap.Random(random, shape.OutputShape));

        void Projection(string norm, string linear, int inputs)
        {
            Parameter($"{norm}.weight", new TensorShape(1, inputs, 1, 1));
            Parameter($"{norm}.bias", new TensorShape(1, inputs, 1, 1));
            Parameter($"{linear}.weight", new TensorShape(problem.EmbeddingChannels, inputs, 1, 1));
            Parameter($"{linear}.bias", new TensorShape(1, problem.EmbeddingChannels, 1, 1));
        }

        void Parameter(string name, TensorShape parameterShape)
        {
            parameters.Add(name, ReferenceMap.Random(random, parameterShape));
            builder.AddParameter(name, parameters[name]);
        }
    }
}

using NUnit.Framework;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Tests;

/// <summary>Nodes of cross-resolution attention in ONNX Runtime: every attribute reaches the operator, or is refused.</summary>
[TestFixture]
internal sealed class CrossNodeTests
{
    private static readonly string[] Operands = ["query", "key", "value"];

    [Test]
    public void Every_attribute_reaches_the_kernel(
        [Values("masked", "shifted", "zero_logit", "replicate", "whole", "ratio")] string rule,
        [Values("softmax", "sigmoid", "none")] string normalisation,
        [Values] bool averages)
    {
        var attributes = Attributes(rule, normalisation, averages);
        using var query = TestMaps.Random<float>(1, 2, 6, 7, 9);
        using var key = TestMaps.Random<float>(2, 2, 6, 3, 4);
        using var value = TestMaps.Random<float>(3, 2, 4, 3, 4);
        var ranges = rule switch
        {
            "whole" => WindowRanges.Whole(3, 4, 7, 9),
            "ratio" => WindowRanges.Ratio(3, 4, 7, 9, 0.25f),
            _ => WindowRanges.Window(3, 4, 7, 9, 3, 2, WindowOperators.Borders.Single(border => border.Name == rule).Value),
        };
        var options = new CrossAttentionOptions
        {
            Heads = 2,
            AveragesHeads = averages,
            ScoreScale = 0.5,
            Normalisation = WindowOperators.Normalisations.Single(known => known.Name == normalisation).Value,
        };
        using var expected = CrossAttention.Forward(query, key, value, ranges, options);
        using var run = new OnnxRun(File(attributes), sessions => sessions.AddSapaGpu());
        TestMaps.AreEqual(run.Run(query, key, value), expected, 0, $"{rule} {options}");
    }

    [TestCase(CrossOperators.Rule, "mirrored", "'rule'", "shifted")]
    [TestCase(CrossOperators.Rule, null, "needs the attribute 'rule'", "whole")]
    [TestCase(CrossOperators.Normalisation, "tanh", "'normalisation'", "softmax, sigmoid, none")]
    [TestCase(CrossOperators.Normalisation, null, "needs the attribute 'normalisation'", "softmax")]
    [TestCase(CrossOperators.Normalisation, 1L, "needs the attribute 'normalisation'", "softmax")]
    [TestCase(CrossOperators.Heads, null, "needs the attribute 'heads'", "whole number")]
    [TestCase(CrossOperators.AveragesHeads, 2L, "'averages_heads'", "0 or 1")]
    [TestCase(CrossOperators.ScoreScale, null, "needs the attribute 'score_scale'", "a number")]
    [TestCase(CrossOperators.KernelHeight, null, "needs the attribute 'kernel_height'", "whole number")]
    [TestCase(CrossOperators.KernelWidth, "3", "needs the attribute 'kernel_width'", "whole number")]
    public void Attributes_that_are_wrong_or_missing_are_refused(string name, object? value, string cause, string known)
    {
        var attributes = Attributes("masked", "softmax", averages: false).Where(attribute => attribute.Name != name).ToList();
        if (value is long number)
            attributes.Add(OnnxAttribute.Of(name, number));
        if (value is string text)
            attributes.Add(OnnxAttribute.Of(name, text));
        RegisteredOperatorTests.RefusesNode(CrossOperators.Attention, attributes, cause, Operands);
        RegisteredOperatorTests.RefusesNode(CrossOperators.Attention, attributes, known, Operands);
    }

    private static OnnxAttribute[] Attributes(string rule, string normalisation, bool averages) =>
    [
        OnnxAttribute.Of(CrossOperators.Rule, rule),
        OnnxAttribute.Of(CrossOperators.KernelHeight, 3L),
        OnnxAttribute.Of(CrossOperators.KernelWidth, 2L),
        OnnxAttribute.Of(CrossOperators.Ratio, 0.25f),
        OnnxAttribute.Of(CrossOperators.Heads, 2L),
        OnnxAttribute.Of(CrossOperators.AveragesHeads, averages ? 1L : 0L),
        OnnxAttribute.Of(CrossOperators.ScoreScale, 0.5f),
        OnnxAttribute.Of(CrossOperators.Normalisation, normalisation),
    ];

    private static byte[] File(IEnumerable<OnnxAttribute> attributes)
    {
        var graph = new OnnxGraph(CrossOperators.Attention, TensorType.Float32);
        foreach (string operand in Operands)
            graph.Input(operand, "B", $"channels of {operand}", $"rows of {operand}", $"columns of {operand}");
        graph.Output(
            graph.Call(OperatorDomain.Name, CrossOperators.Attention, Operands, attributes, null), "output", "B", "C", "OH", "OW");
        return graph.ToFile();
    }
}

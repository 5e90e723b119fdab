using NUnit.Framework;

namespace SapaGpu.Tests.Robustness;

/// <summary>Gradients that are written into maps of the caller share memory neither with operands nor with each other.</summary>
[TestFixture]
public sealed class GradientOverlapTests
{
    private static readonly MapShape High = new(1, 4, 4, 4);
    private static readonly MapShape Low = new(1, 4, 2, 2);
    private static readonly MapShape Gate = new(1, 1, 2, 2);
    private static readonly MapShape Vector = new(1, 4, 1, 1);

    private readonly List<IDisposable> maps = [];

    [TearDown]
    public void Dispose()
    {
        maps.ForEach(map => map.Dispose());
        maps.Clear();
    }

    [Test]
    public void Query_blend_refuses_gradients_over_operands([Values] bool hasGate)
    {
        var (encoder, decoder, gradQuery) = (New(High), New(Low), New(High));
        var gate = hasGate ? New(Gate) : null;
        var (gradEncoder, gradDecoder, gradGate) = (hasGate ? New(High) : null, New(Low), hasGate ? New(Gate) : null);
        QueryBlend.Backward(encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, gradGate);
        Refuses("gradDecoder", "decoder", () =>
            QueryBlend.Backward(encoder, decoder, gate, gradQuery, gradEncoder, decoder, gradGate));
        if (!hasGate)
            return;
        foreach (var (over, name) in ((FeatureMap<float>, string)[])[(encoder, "encoder"), (gradQuery, "gradQuery")])
        {
            Refuses("gradEncoder", name, () =>
                QueryBlend.Backward(encoder, decoder, gate, gradQuery, over, gradDecoder, gradGate));
        }
        Refuses("gradGate", "gate", () =>
            QueryBlend.Backward(encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, gate));
        using var firstChannel = gradDecoder.Channels(0, 1);
        Refuses("gradDecoder", "gradGate", () =>
            QueryBlend.Backward(encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, firstChannel));
    }

    [Test]
    public void Norm_refuses_gradients_over_operands([Values(0, 2)] int groups)
    {
        var (input, weight, bias, output, gradOutput) = (New(High), New(Vector), New(Vector), New(High), New(High));
        var statistics = New(FeatureNorm.StatisticsShape(High, groups));
        var (gradInput, gradWeight, gradBias) = (New(High), New(Vector), New(Vector));
        FeatureNorm.Forward(input, groups, weight, bias, 1e-5, output, statistics);
        FeatureNorm.Backward(input, groups, weight, statistics, gradOutput, gradInput, gradWeight, gradBias);
        Refuses("gradInput", "input", () =>
            FeatureNorm.Backward(input, groups, weight, statistics, gradOutput, input, gradWeight, gradBias));
        Refuses("gradInput", "gradOutput", () =>
            FeatureNorm.Backward(input, groups, weight, statistics, gradOutput, gradOutput, gradWeight, gradBias));
        Refuses("gradWeight", "weight", () =>
            FeatureNorm.Backward(input, groups, weight, statistics, gradOutput, gradInput, weight, gradBias));
        Refuses("gradWeight", "gradBias", () =>
            FeatureNorm.Backward(input, groups, weight, statistics, gradOutput, gradInput, gradBias, gradBias));
        Refuses("gradBias", "weight", () =>
            FeatureNorm.Backward(input, groups, weight, statistics, gradOutput, gradInput, gradWeight, weight));
        Refuses("output", "input", () => FeatureNorm.Forward(input, groups, weight, bias, 1e-5, input, statistics));
    }

    private static void Refuses(string written, string operand, Action call) => Assert.That(
        call,
        Throws.ArgumentException.With.Message.Contains($"'{written}' is written").And.Message.Contains($"'{operand}'"));

    private FeatureMap<float> New(MapShape shape)
    {
        var map = FeatureMap<float>.Create(TestDevices.Open("cpu"), shape);
        map.CopyFrom(new float[shape.ElementCount]);
        maps.Add(map);
        return map;
    }
}

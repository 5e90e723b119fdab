using SapaGpu.Tests.Modules;

namespace SapaGpu.Tests.Operators;

/// <summary>An operator with sizes that fill no whole vectors and no whole strips, for any type.</summary>
public abstract class WidthCase(string name)
{
    /// <summary>Gets all operators.</summary>
    public static IReadOnlyList<WidthCase> All { get; } =
    [
        new AttentionWidthCase("attention, few channels", Window(9, 17, 18, 34, 5, 5, 19), BorderRule.ZeroLogit),
        new AttentionWidthCase("attention, long rows", Window(3, 35, 6, 70, 3, 19, 70), BorderRule.Masked),
        new AttentionWidthCase("attention, any ratio", Window(7, 17, 15, 33, 5, 70, 5), BorderRule.Replicate),
        new AttentionWidthCase("attention, moved windows", Window(7, 33, 14, 66, 5, 19, 19), BorderRule.Shifted),
        new StepsWidthCase("steps, few channels", Window(4, 33, 8, 66, 3, 19, 5)),
        new StepsWidthCase("steps, many channels", Window(5, 17, 10, 34, 5, 5, 70)),
        new StepsWidthCase("steps, any ratio", Window(4, 17, 9, 33, 3, 70, 19)),
        new InterpolationWidthCase("interpolation, doubled", new(2, 19, 5, 17), 10, 34),
        new InterpolationWidthCase("interpolation, larger", new(1, 70, 5, 17), 7, 33),
        new InterpolationWidthCase("interpolation, smaller", new(1, 5, 9, 70), 4, 33),
        new SapaWidthCase("SAPA-B", Sapa(Similarity.Bilinear, FeatureNormKind.Layer), new(1, 4, 17, 8, 34)),
        new SapaWidthCase("SAPA-B, groups", Sapa(Similarity.Bilinear, FeatureNormKind.Group), new(1, 3, 35, 6, 70)),
        new SapaWidthCase("SAPA-G", Sapa(Similarity.GatedBilinear, FeatureNormKind.Layer), new(1, 4, 17, 7, 33)),
        new CarafeWidthCase("CARAFE"),
        new DeformableWidthCase("deformable attention"),
        new CrossWidthCase("cross-resolution attention, joined cells", 2, 5, averages: false),
        new CrossWidthCase("cross-resolution attention, many points, averaged heads", 9, 4, averages: true),
    ];

    /// <summary>Computes the results.</summary>
    public abstract void Run<T>(WidthOperands<T> operands)
        where T : unmanaged;

    public override string ToString() => name;

    private static WindowShape Window(
        int height, int width, int outputHeight, int outputWidth, int window, int embedding, int channels) =>
        new(new MapShape(1, embedding, height, width), channels, outputHeight, outputWidth, window);

    private static SapaOptions Sapa(Similarity similarity, FeatureNormKind norm) => new()
    {
        Similarity = similarity,
        FeatureNorm = norm,
        NormGroups = 5,
        EncoderChannels = norm == FeatureNormKind.Group ? 20 : 19,
        DecoderChannels = 70,
        EmbeddingChannels = 21,
        ValueChannels = norm == FeatureNormKind.Group ? 19 : null,
    };
}

/// <summary>Window attention in one piece.</summary>
public sealed class AttentionWidthCase(string name, WindowShape shape, BorderRule border) : WidthCase(name)
{
    public override void Run<T>(WidthOperands<T> operands)
    {
        var options = new WindowAttentionOptions { Window = shape.Window, Border = border };
        var (query, key) = (operands.Next(shape.QueryShape), operands.Next(shape.KeyShape));
        var (value, gradOutput) = (operands.Next(shape.ValueShape), operands.Next(shape.OutputShape));
        operands.Add("output", WindowAttention.Forward(query, key, value, options, out var context));
        operands.Own(context);
        var gradients = WindowAttention.Backward(context, gradOutput);
        operands.AddGradient("query", gradients.Query!);
        operands.AddGradient("key", gradients.Key!);
        operands.AddGradient("value", gradients.Value!);
    }
}

/// <summary>Cross-resolution attention with a bias, and its second derivatives.</summary>
public sealed class CrossWidthCase(string name, int scale, int window, bool averages) : WidthCase(name)
{
    public override void Run<T>(WidthOperands<T> operands)
    {
        const int Height = 4, Width = 7;
        var options = new CrossAttentionOptions { Heads = 2, AveragesHeads = averages, ScoreScale = 0.5 };
        var ranges = WindowRanges.Window(
            Height, Width, Height * scale, Width * scale, window, window, BorderRule.Replicate);
        var query = new MapShape(1, 38, Height * scale, Width * scale);
        var key = new MapShape(1, 38, Height, Width);
        var value = new MapShape(1, 70, Height, Width);
        var (q, k, v) = (operands.Next(query), operands.Next(key), operands.Next(value));
        var bias = operands.Next(new MapShape(1, 1, Height, Width));
        var gradOutput = operands.Next(new MapShape(1, 70, query.Height, query.Width));
        operands.Add("output", CrossAttention.Forward(q, k, v, ranges, options, bias, out var context));
        operands.Own(context);
        var gradients = CrossAttention.Backward(context, gradOutput);
        operands.AddGradient("query", gradients.Query!);
        operands.AddGradient("key", gradients.Key!);
        operands.AddGradient("value", gradients.Value!);
        operands.AddGradient("bias", gradients.KeyBias!);
        var second = CrossAttention.DoubleBackward(
            context, gradOutput, operands.Next(query), operands.Next(key), operands.Next(value));
        operands.AddGradient("second, gradient of the output", second.GradOutput!);
        operands.AddGradient("second, query", second.Query!);
        operands.AddGradient("second, key", second.Key!);
        operands.AddGradient("second, value", second.Value!);
        operands.AddGradient("second, bias", second.KeyBias!);
    }
}

/// <summary>Similarity and reassembly by themselves.</summary>
public sealed class StepsWidthCase(string name, WindowShape shape) : WidthCase(name)
{
    public override void Run<T>(WidthOperands<T> operands)
    {
        var options = new WindowAttentionOptions { Window = shape.Window };
        var (query, key) = (operands.Next(shape.QueryShape), operands.Next(shape.KeyShape));
        var (weights, value) = (operands.Next(shape.WeightsShape), operands.Next(shape.ValueShape));
        var (gradScores, gradOutput) = (operands.Next(shape.WeightsShape), operands.Next(shape.OutputShape));
        operands.Add("scores", WindowSimilarity.Forward(query, key, options));
        var (gradQuery, gradKey) = WindowSimilarity.Backward(query, key, gradScores, options);
        operands.AddGradient("query", gradQuery);
        operands.AddGradient("key", gradKey);
        operands.Add("output", WindowReassembly.Forward(weights, value, options));
        var (gradWeights, gradValue) = WindowReassembly.Backward(weights, value, gradOutput, options);
        operands.AddGradient("weights", gradWeights);
        operands.AddGradient("value", gradValue);
    }
}

/// <summary>Interpolation in every way, and its adjoint.</summary>
public sealed class InterpolationWidthCase(string name, MapShape input, int height, int width) : WidthCase(name)
{
    public override void Run<T>(WidthOperands<T> operands)
    {
        var map = operands.Next(input);
        var gradient = operands.Next(new MapShape(input.Batch, input.Channels, height, width));
        foreach (var (mode, corners) in new[]
                 {
                     (InterpolationMode.Nearest, false), (InterpolationMode.Bilinear, false),
                     (InterpolationMode.Bilinear, true),
                 })
        {
            operands.Add($"{mode} {corners}", Interpolate.Forward(map, height, width, mode, corners));
            operands.AddGradient(
                $"{mode} {corners}", Interpolate.Backward(gradient, input.Height, input.Width, mode, corners));
        }
    }
}

/// <summary>A SAPA module.</summary>
public sealed class SapaWidthCase(string name, SapaOptions options, SapaSizes sizes) : WidthCase(name)
{
    public override void Run<T>(WidthOperands<T> operands)
    {
        var high = new MapShape(sizes.Batch, options.EncoderChannels, sizes.OutputHeight, sizes.OutputWidth);
        var encoder = operands.Next(high);
        var decoder = operands.Next(new MapShape(sizes.Batch, options.DecoderChannels, sizes.Height, sizes.Width));
        var gradOutput = operands.Next(ReferenceMaps.WithChannels(high, options.OutputChannels));
        var module = new SapaUpsampler<T>(operands.Device, options);
        operands.Fill(module);
        operands.Add("output", module.Forward(encoder, decoder, out var context));
        operands.Own(context);
        var gradients = operands.Own(module.Backward(context, gradOutput));
        operands.AddGradient("encoder", gradients.Encoder);
        operands.AddGradient("decoder", gradients.Decoder);
        operands.AddGradients(gradients.Parameters);
    }
}

/// <summary>The CARAFE module.</summary>
public sealed class CarafeWidthCase(string name) : WidthCase(name)
{
    public override void Run<T>(WidthOperands<T> operands)
    {
        var low = new MapShape(1, 70, 3, 17);
        var features = operands.Next(low);
        var gradOutput = operands.Next(new MapShape(1, 70, 6, 34));
        var module = new CarafeUpsampler<T>(
            operands.Device, new CarafeOptions { Channels = 70, CompressedChannels = 19, Groups = 2 });
        operands.Fill(module);
        operands.Add("output", module.Forward(features, out var context));
        operands.Own(context);
        var gradients = operands.Own(module.Backward(context, gradOutput));
        operands.AddGradient("features", gradients.Features);
        operands.AddGradients(gradients.Parameters);
    }
}

/// <summary>Deformable attention.</summary>
public sealed class DeformableWidthCase(string name) : WidthCase(name)
{
    public override void Run<T>(WidthOperands<T> operands)
    {
        var maps = new DeformableOperands(new DeformableProblem(1, 4, 17, 8, 34, 2, 3, 5, 19));
        foreach (var map in new[] { maps.Query, maps.Key, maps.Value, maps.Offsets, maps.GradOutput })
            operands.Round(map).Values.CopyTo(map.Values, 0);
        var tensors = operands.Own(new DeformableTensors<T>(maps, operands.Device, operands.Format));
        operands.Add("output", tensors.Forward());
        var gradients = tensors.Backward();
        operands.AddGradient("query", gradients.Query!);
        operands.AddGradient("key", gradients.Key!);
        operands.AddGradient("value", gradients.Value!);
        operands.AddGradient("offsets", gradients.Offsets!);
    }
}

using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>GroupNorm, then SiLU.</summary>
internal sealed class NormSilu(string name, int channels, int groups, double epsilon) : Layer
{
    private readonly FeatureNormLayer norm = new(name, FeatureNormKind.Group, groups, epsilon);

    public override IEnumerable<ParameterSpec> Specs => norm.Specs(channels);

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        var statistics = norm.CreateStatistics(input);
        var normalised = CreateLike(input);
        FeatureNorm.Run(
            input, groups, parameters[norm.WeightName], parameters[norm.BiasName], epsilon, normalised, statistics);
        var output = CreateLike(input);
        Silu.Forward(normalised, output);
        trace.Keep(input);
        trace.Keep(statistics);
        trace.Keep(normalised);
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var normalised = trace.Map();
        var statistics = trace.Map();
        var input = trace.Map();
        using var gradNormalised = CreateLike(normalised);
        Silu.Backward(normalised, gradOutput, gradNormalised);
        gradOutput.Dispose();
        var gradInput = CreateLike(input);
        FeatureNorm.RunBackward(
            input,
            groups,
            parameters[norm.WeightName],
            statistics,
            gradNormalised,
            gradInput,
            gradients[norm.WeightName],
            gradients[norm.BiasName],
            accumulate: false);
        return gradInput;
    }
}

using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// GroupNorm, SiLU and a convolution. For the backward only the input and the statistics of the norm are kept; what is between
/// norm and convolution is computed again.
/// </summary>
/// <param name="normName">The name of the norm in a state_dict.</param>
/// <param name="groups">The groups of the norm, a divisor of the channels.</param>
/// <param name="epsilon">What the norm adds to the variance.</param>
/// <param name="layer">The convolution.</param>
internal sealed class ActivatedConvolution(string normName, int groups, double epsilon, ConvolutionLayer layer) : Layer
{
    private readonly FeatureNormLayer norm = new(normName, FeatureNormKind.Group, groups, epsilon);

    public override IEnumerable<ParameterSpec> Specs => norm.Specs(layer.InputChannels).Concat(layer.Specs);

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace) =>
        ForwardAdded(parameters, input, null, trace);

    public override void Forward(ParameterSet parameters, FeatureMap input, FeatureMap output, Trace trace) =>
        Run(parameters, input, null, output, trace);

    /// <summary>Computes the output, added to a map if there is one.</summary>
    public FeatureMap ForwardAdded(ParameterSet parameters, FeatureMap input, FeatureMap? initial, Trace trace)
    {
        var output = Create(input, layer.OutputChannels);
        Run(parameters, input, initial, output, trace);
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var statistics = trace.Map();
        var input = trace.Map();
        using var normalised = Normalise(parameters, input, statistics);
        using var gradActivated = CreateLike(input);
        using (var activated = Activate(normalised))
            layer.Convolution.Backward(parameters, gradients, activated, gradOutput, gradActivated);
        gradOutput.Dispose();
        using var gradNormalised = CreateLike(input);
        Silu.Backward(normalised, gradActivated, gradNormalised);
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

    private static FeatureMap Activate(FeatureMap normalised)
    {
        var activated = CreateLike(normalised);
        Silu.Forward(normalised, activated);
        return activated;
    }

    private void Run(
        ParameterSet parameters, FeatureMap input, FeatureMap? initial, FeatureMap output, Trace trace)
    {
        var statistics = norm.CreateStatistics(input);
        FeatureNorm.Measure(input, groups, epsilon, statistics);
        if (layer.Convolution.IsDirectOn(input.Device))
        {
            layer.Convolution.Direct(parameters).ForwardOfNormSilu(
                groups, parameters[norm.WeightName], parameters[norm.BiasName], statistics, input, initial, output);
        }
        else
        {
            using var normalised = Normalise(parameters, input, statistics);
            using var activated = Activate(normalised);
            layer.Convolution.Forward(parameters, activated, output);
            if (initial is not null)
                Conversions.Add(initial, output);
        }
        trace.Keep(input);
        trace.Keep(statistics);
    }

    private FeatureMap Normalise(ParameterSet parameters, FeatureMap input, FeatureMap statistics)
    {
        var normalised = CreateLike(input);
        FeatureNorm.Normalise(input, groups, parameters[norm.WeightName], parameters[norm.BiasName], statistics, normalised);
        return normalised;
    }
}

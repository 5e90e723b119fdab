using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// The division of every pixel by a norm over its channels: RMSNorm with a weight, or the Euclidean norm without.
/// </summary>
/// <param name="weightName">The name of the weight; null for the Euclidean norm.</param>
/// <param name="channels">The channels of the weight.</param>
/// <param name="epsilon">What is added to the mean square, or the least Euclidean norm.</param>
internal sealed class PixelNormLayer(string? weightName, int channels, double epsilon) : Layer
{
    public override IEnumerable<ParameterSpec> Specs =>
        weightName is null ? [] : [new(weightName, [channels], Constant: 1)];

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        var statistics = Create(input, PixelNorm.StatisticsShape(input.Shape));
        var output = CreateLike(input);
        PixelNorm.Forward(Weight(parameters), epsilon, input, output, statistics);
        trace.Keep(input);
        trace.Keep(statistics);
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var statistics = trace.Map();
        var input = trace.Map();
        var gradInput = CreateLike(input);
        PixelNorm.Backward(Weight(parameters), input, statistics, gradOutput, gradInput, Weight(gradients));
        gradOutput.Dispose();
        return gradInput;
    }

    private FeatureMap? Weight(ParameterSet parameters) => weightName is null ? null : parameters[weightName];
}

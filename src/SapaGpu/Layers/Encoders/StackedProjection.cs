namespace SapaGpu.Layers;

/// <summary>A linear map whose matrix and bias are rows of stacked ones.</summary>
/// <param name="weightName">The name of the stacked matrices, [n·C, C].</param>
/// <param name="biasName">The name of the stacked biases, [n·C].</param>
/// <param name="channels">C.</param>
/// <param name="place">Which of the n it is.</param>
internal sealed class StackedProjection(string weightName, string biasName, int channels, int place) : Layer
{
    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        using var weight = Weight(parameters);
        using var bias = Bias(parameters);
        var output = CreateLike(input);
        PointwiseProjection.Run(new ProjectionWeights(weight, bias), input, output, null);
        trace.Keep(input);
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        using var weight = Weight(parameters);
        using var gradWeight = Weight(gradients);
        using var gradBias = Bias(gradients);
        var input = trace.Map();
        var gradInput = CreateLike(input);
        PointwiseProjection.RunBackward(
            new ProjectionWeights(weight, null),
            input,
            gradOutput,
            null,
            gradInput,
            new ProjectionWeights(gradWeight, gradBias));
        gradOutput.Dispose();
        return gradInput;
    }

    private FeatureMap Weight(ParameterSet parameters) => parameters[weightName].ImagesOf(place * channels, channels);

    private FeatureMap Bias(ParameterSet parameters) => parameters[biasName].ChannelsOf(place * channels, channels);
}

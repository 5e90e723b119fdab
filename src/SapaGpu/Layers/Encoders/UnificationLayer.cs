using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>Any number of channels to a fixed one, <see cref="FeatureUnification"/>.</summary>
/// <param name="name">The name of the kernels, [O, 1, K, K].</param>
/// <param name="channels">O, the kernels.</param>
/// <param name="kernel">K, odd.</param>
internal sealed class UnificationLayer(string name, int channels, int kernel) : Layer
{
    public override IEnumerable<ParameterSpec> Specs =>
        [new(name, [channels, 1, kernel, kernel], Deviation: 1.0 / kernel)];

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        var output = Create(input, channels);
        FeatureUnification.Forward(parameters[name], input, output);
        trace.Keep(input);
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var input = trace.Map();
        var gradInput = CreateLike(input);
        FeatureUnification.Backward(parameters[name], input, gradOutput, gradInput, gradients[name]);
        gradOutput.Dispose();
        return gradInput;
    }
}

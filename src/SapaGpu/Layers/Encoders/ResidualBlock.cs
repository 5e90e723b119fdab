using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>Layers whose output is added to their input, or to a projection of it.</summary>
/// <param name="body">The layers.</param>
/// <param name="shortcut">The projection, where the channels of input and output differ; null for none.</param>
internal sealed class ResidualBlock(Layer body, Layer? shortcut) : Layer
{
    public override IEnumerable<ParameterSpec> Specs => body.Specs.Concat(shortcut?.Specs ?? []);

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        var output = body.Forward(parameters, Share(input), trace);
        using var direct = shortcut is null ? input : shortcut.Forward(parameters, input, trace);
        Conversions.Add(direct, output);
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        using var direct = shortcut is null
            ? Share(gradOutput)
            : shortcut.Backward(parameters, gradients, Share(gradOutput), trace);
        var gradInput = body.Backward(parameters, gradients, gradOutput, trace);
        Conversions.Add(direct, gradInput);
        return gradInput;
    }
}

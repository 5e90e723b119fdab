using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>Two layers whose output is added to their input, or to a projection of it.</summary>
/// <param name="first">The first layer.</param>
/// <param name="second">The second layer.</param>
/// <param name="shortcut">The projection, where the channels of input and output differ; null for none.</param>
internal sealed class ResidualBlock(Layer first, ActivatedConvolution second, Layer? shortcut) : Layer
{
    public override IEnumerable<ParameterSpec> Specs => [.. first.Specs, .. second.Specs, .. shortcut?.Specs ?? []];

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        using var direct = shortcut is null ? Share(input) : shortcut.Forward(parameters, Share(input), trace);
        return second.ForwardAdded(parameters, first.Forward(parameters, input, trace), direct, trace);
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var gradDirect = Share(gradOutput);
        var gradInput = first.Backward(
            parameters, gradients, second.Backward(parameters, gradients, gradOutput, trace), trace);
        using var fromShortcut = shortcut is null ? gradDirect : shortcut.Backward(parameters, gradients, gradDirect, trace);
        Conversions.Add(fromShortcut, gradInput);
        return gradInput;
    }
}

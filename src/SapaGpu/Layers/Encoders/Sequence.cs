namespace SapaGpu.Layers;

/// <summary>Layers one after another.</summary>
internal sealed class Sequence(params IReadOnlyList<Layer> layers) : Layer
{
    public override IEnumerable<ParameterSpec> Specs => layers.SelectMany(layer => layer.Specs);

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace) =>
        layers.Aggregate(input, (map, layer) => layer.Forward(parameters, map, trace));

    public override void Forward(ParameterSet parameters, FeatureMap input, FeatureMap output, Trace trace)
    {
        var map = layers.SkipLast(1).Aggregate(input, (map, layer) => layer.Forward(parameters, map, trace));
        layers[^1].Forward(parameters, map, output, trace);
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace) =>
        layers.Reverse().Aggregate(gradOutput, (map, layer) => layer.Backward(parameters, gradients, map, trace));
}

using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// A step of an encoder, on maps of the type of the parameters. A layer takes over its input, and in the backward the gradient of
/// its output: it disposes them, or hands them to the trace.
/// </summary>
internal abstract class Layer
{
    /// <summary>The parameters, in the order of a state_dict.</summary>
    public virtual IEnumerable<ParameterSpec> Specs => [];

    /// <summary>Computes the output.</summary>
    public abstract FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace);

    /// <summary>Computes the output into a map.</summary>
    public virtual void Forward(ParameterSet parameters, FeatureMap input, FeatureMap output, Trace trace)
    {
        using var own = Forward(parameters, input, trace);
        Conversions.Copy(own, output);
    }

    /// <summary>Computes the gradients of the parameters, and returns that of the input.</summary>
    public abstract FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace);

    /// <summary>Creates a map like another.</summary>
    protected static FeatureMap CreateLike(FeatureMap map) => Create(map, map.Shape);

    /// <summary>Creates a map like another, with other channels.</summary>
    protected static FeatureMap Create(FeatureMap like, int channels) =>
        Create(like, new MapShape(like.Shape.Batch, channels, like.Shape.Height, like.Shape.Width));

    /// <summary>Creates a map like another, of another shape.</summary>
    protected static FeatureMap Create(FeatureMap like, MapShape shape) =>
        FeatureMap.Create(like.Device, shape, like.Format, like.ElementType);

    /// <summary>A second reference to a map, which is disposed on its own.</summary>
    protected static FeatureMap Share(FeatureMap map) => map.ChannelsOf(0, map.Shape.Channels);
}

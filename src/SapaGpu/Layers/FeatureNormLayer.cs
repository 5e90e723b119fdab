using SapaGpu.Launch;

namespace SapaGpu.Layers;

/// <summary>LayerNorm or GroupNorm of a map.</summary>
/// <param name="Name">The name of the layer in a state_dict.</param>
/// <param name="Kind">Layer or group.</param>
/// <param name="Groups">The groups of GroupNorm.</param>
/// <param name="Epsilon">What is added to the variance.</param>
internal sealed record FeatureNormLayer(string Name, FeatureNormKind Kind, int Groups, double Epsilon)
{
    public string WeightName => $"{Name}.weight";

    public string BiasName => $"{Name}.bias";

    public IEnumerable<ParameterSpec> Specs(int channels) =>
        [new(WeightName, [channels], Constant: 1), new(BiasName, [channels], Constant: 0)];

    /// <summary>Room for mean and reciprocal deviation.</summary>
    public FeatureMap CreateStatistics(FeatureMap input) => FeatureMap.Create(
        input.Device,
        FeatureNorm.StatisticsShape(input.Shape, Kind == FeatureNormKind.Layer ? 0 : Groups),
        MemoryFormat.Contiguous,
        input.ElementType.Accumulator());

    public FeatureMap<T> Forward<T>(ParameterSet parameters, FeatureMap<T> input, FeatureMap statistics)
        where T : unmanaged
    {
        var output = FeatureMap<T>.Create(input.Device, input.Shape, input.Format);
        var kernels = FeatureNormKernels.For(input.ElementType);
        var (weight, bias) = (parameters[WeightName], parameters[BiasName]);
        if (Kind == FeatureNormKind.Layer)
            kernels.LayerForward(weight, bias, Epsilon, input, output, statistics);
        else
            kernels.GroupForward(Groups, weight, bias, Epsilon, input, output, statistics);
        return output;
    }

    /// <summary>The gradients of factor, offset and input, the last one written or added.</summary>
    public void Backward<T>(
        ParameterSet parameters,
        ParameterSet gradients,
        FeatureMap<T> input,
        FeatureMap<T> gradOutput,
        FeatureMap statistics,
        FeatureMap<T> gradInput,
        bool accumulate)
        where T : unmanaged =>
        FeatureNormKernels.For(input.ElementType).Backward(
            Kind == FeatureNormKind.Layer ? 0 : Groups,
            parameters[WeightName],
            input,
            gradOutput,
            statistics,
            gradients[WeightName],
            gradients[BiasName],
            gradInput,
            accumulate);
}

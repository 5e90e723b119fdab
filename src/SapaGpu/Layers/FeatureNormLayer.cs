namespace SapaGpu.Layers;

/// <summary>LayerNorm or GroupNorm of a map.</summary>
/// <param name="Name">The name of the layer in a state_dict.</param>
/// <param name="Kind">Layer or group.</param>
/// <param name="Groups">The number of groups of GroupNorm.</param>
/// <param name="Epsilon">The number that is added to the variance.</param>
internal sealed record FeatureNormLayer(string Name, FeatureNormKind Kind, int Groups, double Epsilon)
{
    public string WeightName => $"{Name}.weight";

    public string BiasName => $"{Name}.bias";

    // The operator takes 0 groups for LayerNorm.
    private int OwnGroups => Kind == FeatureNormKind.Layer ? 0 : Groups;

    public IEnumerable<ParameterSpec> Specs(int channels) =>
        [new(WeightName, [channels], Constant: 1), new(BiasName, [channels], Constant: 0)];

    /// <summary>Creates a map for means and reciprocal standard deviations.</summary>
    public FeatureMap CreateStatistics(FeatureMap input) => FeatureMap.Create(
        input.Device,
        FeatureNorm.StatisticsShape(input.Shape, OwnGroups),
        MemoryFormat.Contiguous,
        input.ElementType.Accumulator());

    public FeatureMap<T> Forward<T>(ParameterSet parameters, FeatureMap<T> input, FeatureMap statistics)
        where T : unmanaged
    {
        var output = FeatureMap<T>.Create(input.Device, input.Shape, input.Format);
        FeatureNorm.Run(
            input, OwnGroups, parameters[WeightName], parameters[BiasName], Epsilon, output, statistics);
        return output;
    }

    /// <summary>
    /// Computes the gradients of weight, bias and input; that of the input is overwritten or added to.
    /// </summary>
    public void Backward<T>(
        ParameterSet parameters,
        ParameterSet gradients,
        FeatureMap<T> input,
        FeatureMap<T> gradOutput,
        FeatureMap statistics,
        FeatureMap<T> gradInput,
        bool accumulate)
        where T : unmanaged =>
        FeatureNorm.RunBackward(
            input,
            OwnGroups,
            parameters[WeightName],
            statistics,
            gradOutput,
            gradInput,
            gradients[WeightName],
            gradients[BiasName],
            accumulate);
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The weights of every head, [B, heads·taps, OH, OW]; a thread takes one head of one query.</summary>
internal readonly struct WindowWeightsForward<TElement, TStorage, TReal, TBorder, TNormalisation>
    : IMapProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TBorder : struct, IBorder
    where TNormalisation : struct, IScoreNormalisation
{
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TStorage> parameters) => parameters.PerHead();

    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        40.0 * parameters.Taps;

    public static void Apply(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        var row = new MapScores<TElement, TStorage, TReal, TBorder>(in parameters, in at);
        var shift = ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Shift(in row, parameters.Taps);
        ScoreWeights<TElement, TStorage, TReal, TNormalisation>.Forward(in row, parameters.Taps, shift);
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The mean of the weights of all heads, [B, taps, OH, OW].</summary>
internal readonly struct HeadMean<TElement, TStorage, TReal>
    : IMapProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TStorage> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Extent.Batch,
        parameters.Taps,
        parameters.Extent.Rows.Queries,
        parameters.Extent.Columns.Queries);

    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        8.0 + parameters.Heads;

    public static void Apply(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        long source = at.In(in parameters.Source);
        var sum = TReal.Zero;
        for (int head = 0; head < parameters.Heads; head++)
        {
            sum += TElement.Load(parameters.Source.Data[source]);
            source += parameters.Taps * parameters.Source.ChannelStride;
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(
            sum / TElement.FromCount(parameters.Heads));
    }
}

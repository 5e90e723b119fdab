using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The similarity of a query and of the map at its points: Σ over the channels of the group.</summary>
public readonly struct PointSimilarity<TElement, TStorage, TAccumulator>
    : IMapProgram<PointSamplingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointSamplingParameters<TStorage> parameters) => parameters.PerPoint();

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointSamplingParameters<TStorage> parameters) =>
        32.0 + 10.0 * parameters.GroupChannels;

    /// <inheritdoc/>
    public static void Apply(in PointSamplingParameters<TStorage> parameters, in MapPosition at)
    {
        var point = SamplePoint<TAccumulator>.Locate<TElement, TStorage>(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, at.Image, at.Channel, at.Row, at.Column);
        var sum = CornerSums.Of<TElement, TStorage, TAccumulator>(in parameters, in at, in point);
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(PointBlend.Of(in sum, in point));
    }
}

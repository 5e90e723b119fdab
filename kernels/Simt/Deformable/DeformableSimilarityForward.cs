using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The similarity of a query and of the map at its points: Σ over the channels of the group.</summary>
internal readonly struct DeformableSimilarityForward<TElement, TStorage, TReal>
    : IMapProgram<DeformableSamplingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableSamplingParameters<TStorage> parameters) => parameters.PerPoint();

    public static double OperationsPerValue(in DeformableSamplingParameters<TStorage> parameters) =>
        32.0 + 10.0 * parameters.GroupChannels;

    public static void Apply(in DeformableSamplingParameters<TStorage> parameters, in MapPosition at)
    {
        var point = SamplePoint<TReal>.Locate<TElement, TStorage>(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, at.Image, at.Channel, at.Row, at.Column);
        var sum = CornerSums.Of<TElement, TStorage, TReal>(in parameters, in at, in point);
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(DeformableBlend.Of(in sum, in point));
    }
}

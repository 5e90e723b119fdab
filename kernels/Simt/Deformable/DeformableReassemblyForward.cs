using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The sum of the map at the points of a query, each with its weight.</summary>
internal readonly struct DeformableReassemblyForward<TElement, TStorage, TReal>
    : IMapProgram<DeformableSamplingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableSamplingParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Batch,
        parameters.Groups * parameters.GroupChannels,
        parameters.Rows.Queries,
        parameters.Columns.Queries);

    public static double OperationsPerValue(in DeformableSamplingParameters<TStorage> parameters) =>
        40.0 * parameters.Points;

    public static void Apply(in DeformableSamplingParameters<TStorage> parameters, in MapPosition at)
    {
        int first = at.Channel / parameters.GroupChannels * parameters.Points;
        var sum = TReal.Zero;
        for (int i = first; i < first + parameters.Points; i++)
        {
            var point = SamplePoint<TReal>.Locate<TElement, TStorage>(
                in parameters.Offsets, in parameters.Rows, in parameters.Columns, at.Image, i, at.Row, at.Column);
            if (!point.Contributes)
                continue;
            var corners = SampleCorners.Locate(
                in parameters.Map, in parameters.Rows, in parameters.Columns, in point, at.Image, at.Channel);
            var values = corners.Load<TElement, TStorage, TReal>(in parameters.Map);
            long weight = parameters.Weights.Offset(at.Image, i, at.Row, at.Column);
            sum += TElement.Load(parameters.Weights.Data[weight]) * DeformableBlend.Of(in values, in point);
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum);
    }
}

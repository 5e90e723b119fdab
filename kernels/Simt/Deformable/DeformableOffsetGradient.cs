using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gradient of the offsets, [B, G·P·2, OH, OW]: the weight of a point times the derivative, along either axis, of
/// the similarity of the query's features and the map at the point. At a whole number it is the derivative towards
/// larger coordinates.
/// </summary>
internal readonly struct DeformableOffsetGradient<TElement, TStorage, TReal>
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
        var weight = TElement.Load(parameters.Weights.Data[at.In(in parameters.Weights)]);
        var across = weight * ((TReal.One - point.Down) * (sum.Y - sum.X) + point.Down * (sum.W - sum.Z));
        var down = weight * ((TReal.One - point.Across) * (sum.Z - sum.X) + point.Across * (sum.W - sum.Y));
        long result = parameters.Result.Offset(at.Image, 2 * at.Channel, at.Row, at.Column);
        if (parameters.Accumulate != 0)
        {
            across += TElement.Load(parameters.Result.Data[result]);
            down += TElement.Load(parameters.Result.Data[result + parameters.Result.ChannelStride]);
        }
        parameters.Result.Data[result] = TElement.Store(across);
        parameters.Result.Data[result + parameters.Result.ChannelStride] = TElement.Store(down);
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gradient of the offsets, [B, G·P·2, OH, OW]: the weight of a point times the derivative, along either axis, of the
/// similarity of the query's features and the map at the point. At a whole number it is the derivative towards larger
/// coordinates.
/// </summary>
public readonly struct PointOffsetGradient<TElement, TStorage, TAccumulator>
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
        var weight = TElement.Load(parameters.Weights.Data[at.In(in parameters.Weights)]);
        var across = weight * ((TAccumulator.One - point.Down) * (sum.Y - sum.X) + point.Down * (sum.W - sum.Z));
        var down = weight * ((TAccumulator.One - point.Across) * (sum.Z - sum.X) + point.Across * (sum.W - sum.Y));
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

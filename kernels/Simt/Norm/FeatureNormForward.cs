using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The normalised features, (x − mean)·reciprocal·weight + bias.</summary>
internal readonly struct FeatureNormForward<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Extent.Batch,
        parameters.Extent.InputChannels,
        parameters.Extent.Height,
        parameters.Extent.Width);

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) => 8;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at) =>
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(
            Normalised(in parameters, in at) * parameters.Weight[at.Channel] + parameters.Bias[at.Channel]);

    internal static TReal Normalised(
        in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int group = at.Channel / parameters.ChannelsPerGroup;
        long statistics = parameters.Statistics.Offset(at.Image, 2 * group, at.Row, at.Column);
        var mean = parameters.Statistics.Data[statistics];
        var reciprocal = parameters.Statistics.Data[statistics + parameters.Statistics.ChannelStride];
        return (TElement.Load(parameters.Input.Data[at.In(in parameters.Input)]) - mean) * reciprocal;
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Of every group, the means that its gradient is freed of: of γ·g and of γ·g·x̂.</summary>
internal readonly struct GroupGradientMeans<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) =>
        GroupMeans<TElement, TStorage, TReal>.Extent(in parameters);

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.ChannelsPerGroup * parameters.Extent.Height;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int perGroup = parameters.ChannelsPerGroup;
        var sum = TReal.Zero;
        var product = TReal.Zero;
        for (int channel = at.Channel * perGroup; channel < (at.Channel + 1) * perGroup; channel++)
        {
            var weight = parameters.Weight[channel];
            for (int row = 0; row < parameters.Extent.Height; row++)
            {
                long offset = parameters.RowSums.Offset(at.Image, 2 * channel, row, 0);
                sum += weight * parameters.RowSums.Data[offset];
                product += weight * parameters.RowSums.Data[offset + parameters.RowSums.ChannelStride];
            }
        }
        var count = TElement.FromCount(perGroup) * TElement.FromCount(parameters.Extent.Height)
            * TElement.FromCount(parameters.Extent.Width);
        long result = parameters.GradientMeans.Offset(at.Image, 2 * at.Channel, 0, 0);
        parameters.GradientMeans.Data[result] = sum / count;
        parameters.GradientMeans.Data[result + parameters.GradientMeans.ChannelStride] = product / count;
    }
}

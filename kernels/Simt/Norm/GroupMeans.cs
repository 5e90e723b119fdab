using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The mean of every group from the sums of its rows.</summary>
internal readonly struct GroupMeans<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) => new()
    {
        Batch = parameters.Extent.Batch,
        Channels = parameters.Groups,
        Height = 1,
        Width = 1,
    };

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) =>
        (double)parameters.ChannelsPerGroup * parameters.Extent.Height;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at) =>
        parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 2 * at.Channel, 0, 0)] =
            Mean(in parameters, in at);

    internal static TReal Mean(
        in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int perGroup = parameters.ChannelsPerGroup;
        var sum = TReal.Zero;
        for (int channel = at.Channel * perGroup; channel < (at.Channel + 1) * perGroup; channel++)
        {
            for (int row = 0; row < parameters.Extent.Height; row++)
                sum += parameters.RowSums.Data[parameters.RowSums.Offset(at.Image, channel, row, 0)];
        }
        return sum / TElement.FromCount(perGroup) / TElement.FromCount(parameters.Extent.Height)
            / TElement.FromCount(parameters.Extent.Width);
    }
}

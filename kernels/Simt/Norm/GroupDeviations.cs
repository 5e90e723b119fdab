using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The reciprocal deviation of every group from the sums of squares of its rows.</summary>
internal readonly struct GroupDeviations<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) =>
        GroupMeans<TElement, TStorage, TReal>.Extent(in parameters);

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) =>
        (double)parameters.ChannelsPerGroup * parameters.Extent.Height;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var variance = GroupMeans<TElement, TStorage, TReal>.Mean(in parameters, in at);
        parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 2 * at.Channel + 1, 0, 0)] =
            TReal.One / TReal.Sqrt(variance + parameters.Epsilon);
    }
}

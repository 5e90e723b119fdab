using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The reciprocal deviation of every group from the sums of squares of its rows.</summary>
public readonly struct GroupDeviations<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        GroupMeans<TElement, TStorage, TAccumulator>.Extent(in parameters);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        (double)parameters.ChannelsPerGroup * parameters.Extent.Height;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        var variance = GroupMeans<TElement, TStorage, TAccumulator>.Mean(in parameters, in at);
        parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 2 * at.Channel + 1, 0, 0)] =
            TAccumulator.One / TAccumulator.Sqrt(variance + parameters.Epsilon);
    }
}

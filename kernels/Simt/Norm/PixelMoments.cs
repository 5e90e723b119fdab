using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Mean and reciprocal deviation over the channels of every pixel.</summary>
public readonly struct PixelMoments<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) => MapExtent.Of(
        in parameters.Statistics, parameters.Extent.Batch, 1, parameters.Extent.Height, parameters.Extent.Width);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        4.0 * parameters.Extent.InputChannels;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int channels = parameters.Extent.InputChannels;
        var count = TElement.FromCount(channels);
        long first = at.In(in parameters.Input);
        var sum = TAccumulator.Zero;
        for (int channel = 0; channel < channels; channel++)
            sum += TElement.Load(parameters.Input.Data[first + channel * parameters.Input.ChannelStride]);
        var mean = sum / count;
        sum = TAccumulator.Zero;
        for (int channel = 0; channel < channels; channel++)
        {
            var centred = TElement.Load(parameters.Input.Data[first + channel * parameters.Input.ChannelStride]) - mean;
            sum += centred * centred;
        }
        long result = at.In(in parameters.Statistics);
        parameters.Statistics.Data[result] = mean;
        parameters.Statistics.Data[result + parameters.Statistics.ChannelStride] =
            TAccumulator.One / TAccumulator.Sqrt(sum / count + parameters.Epsilon);
    }
}

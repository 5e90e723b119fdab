using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Mean and reciprocal deviation over the channels of every pixel.</summary>
internal readonly struct PixelMoments<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Statistics, parameters.Extent.Batch, 1, parameters.Extent.Height, parameters.Extent.Width);

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.Extent.InputChannels;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int channels = parameters.Extent.InputChannels;
        var count = TElement.FromCount(channels);
        long first = at.In(in parameters.Input);
        var sum = TReal.Zero;
        for (int channel = 0; channel < channels; channel++)
            sum += TElement.Load(parameters.Input.Data[first + channel * parameters.Input.ChannelStride]);
        var mean = sum / count;
        sum = TReal.Zero;
        for (int channel = 0; channel < channels; channel++)
        {
            var centred = TElement.Load(parameters.Input.Data[first + channel * parameters.Input.ChannelStride]) - mean;
            sum += centred * centred;
        }
        long result = at.In(in parameters.Statistics);
        parameters.Statistics.Data[result] = mean;
        parameters.Statistics.Data[result + parameters.Statistics.ChannelStride] =
            TReal.One / TReal.Sqrt(sum / count + parameters.Epsilon);
    }
}

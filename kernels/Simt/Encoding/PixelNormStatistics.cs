using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The reciprocal norm of every pixel, and its slope.</summary>
internal readonly struct PixelNormStatistics<TElement, TStorage, TReal, TRule>
    : IMapProgram<PixelNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TRule : struct, IPixelNormRule
{
    public static MapExtent Extent(in PixelNormParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Statistics, parameters.Batch, 1, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PixelNormParameters<TStorage, TReal> parameters) => 8.0 + 2.0 * parameters.Channels;

    public static void Apply(in PixelNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var squares = TReal.Zero;
        long input = parameters.Input.Offset(at.Image, 0, at.Row, at.Column);
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            var value = TElement.Load(parameters.Input.Data[input]);
            squares += value * value;
            input += parameters.Input.ChannelStride;
        }
        var channels = TElement.FromCount(parameters.Channels);
        var reciprocal = TRule.Reciprocal(squares, channels, parameters.Epsilon);
        long statistics = at.In(in parameters.Statistics);
        parameters.Statistics.Data[statistics] = reciprocal;
        parameters.Statistics.Data[statistics + parameters.Statistics.ChannelStride] =
            TRule.Slope(reciprocal, channels, parameters.Epsilon);
    }
}

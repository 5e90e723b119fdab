using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of the input of rotary positions; the other component has its own angle.</summary>
internal readonly struct RotaryBackward<TElement, TStorage, TReal, TAngle>
    : IMapProgram<RotaryParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAngle : struct, IRotaryAngle
{
    public static MapExtent Extent(in RotaryParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in RotaryParameters<TStorage, TReal> parameters) => 60;

    public static void Apply(in RotaryParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int half = parameters.HeadChannels / 2;
        int channel = at.Channel % parameters.HeadChannels;
        bool isFirst = channel < half;
        var angle = TAngle.Of<TElement, TStorage, TReal>(in parameters, channel, at.Row, at.Column);
        var otherAngle = TAngle.Of<TElement, TStorage, TReal>(
            in parameters, isFirst ? channel + half : channel - half, at.Row, at.Column);
        long gradient = at.In(in parameters.Gradient);
        long step = half * parameters.Gradient.ChannelStride;
        var own = TElement.Load(parameters.Gradient.Data[gradient]);
        var other = TElement.Load(parameters.Gradient.Data[isFirst ? gradient + step : gradient - step]);
        var turned = other * TElement.Sin(otherAngle);
        parameters.Result.Data[at.In(in parameters.Result)] =
            TElement.Store(own * TElement.Cos(angle) + (isFirst ? turned : -turned));
    }
}

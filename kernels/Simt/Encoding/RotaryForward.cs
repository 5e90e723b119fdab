using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>A component times the cosine of its angle, plus (first: minus) the other component times the sine.</summary>
internal readonly struct RotaryForward<TElement, TStorage, TReal, TAngle>
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
        int channel = at.Channel % parameters.HeadChannels;
        bool isFirst = channel < parameters.HeadChannels / 2;
        var angle = TAngle.Of<TElement, TStorage, TReal>(in parameters, channel, at.Row, at.Column);
        long input = at.In(in parameters.Input);
        long half = parameters.HeadChannels / 2 * parameters.Input.ChannelStride;
        var own = TElement.Load(parameters.Input.Data[input]);
        var other = TElement.Load(parameters.Input.Data[isFirst ? input + half : input - half]);
        var turned = other * TElement.Sin(angle);
        parameters.Result.Data[at.In(in parameters.Result)] =
            TElement.Store(own * TElement.Cos(angle) + (isFirst ? -turned : turned));
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Sums over a row of the gradient of the angle, times the coordinate of the row or of the column.</summary>
internal readonly struct RotaryAngleSums<TElement, TStorage, TReal, TAngle>
    : IMapProgram<RotaryParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAngle : struct, IRotaryAngle
{
    public static MapExtent Extent(in RotaryParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Sums, parameters.Batch, 2 * parameters.Channels, parameters.Height, 1);

    public static double OperationsPerValue(in RotaryParameters<TStorage, TReal> parameters) => 64.0 * parameters.Width;

    public static void Apply(in RotaryParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        bool isRow = at.Channel < parameters.Channels;
        int channel = isRow ? at.Channel : at.Channel - parameters.Channels;
        bool isFirst = channel < parameters.Channels / 2;
        int other = isFirst ? channel + parameters.Channels / 2 : channel - parameters.Channels / 2;
        var sum = TReal.Zero;
        for (int column = 0; column < parameters.Width; column++)
        {
            var angle = TAngle.Of<TElement, TStorage, TReal>(in parameters, channel, at.Row, column);
            var own = TElement.Load(parameters.Input.Data[parameters.Input.Offset(at.Image, channel, at.Row, column)]);
            var turned = TElement.Load(parameters.Input.Data[parameters.Input.Offset(at.Image, other, at.Row, column)])
                * TElement.Cos(angle);
            var gradient = TElement.Load(
                parameters.Gradient.Data[parameters.Gradient.Offset(at.Image, channel, at.Row, column)]);
            var coordinate = isRow
                ? TAngle.Coordinate<TElement, TStorage, TReal>(at.Row, parameters.Height)
                : TAngle.Coordinate<TElement, TStorage, TReal>(column, parameters.Width);
            sum += gradient * coordinate * ((isFirst ? -turned : turned) - own * TElement.Sin(angle));
        }
        parameters.Sums.Data[at.In(in parameters.Sums)] = sum;
    }
}

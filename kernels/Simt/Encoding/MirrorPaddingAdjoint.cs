using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of a value: the sum over its copies.</summary>
internal readonly struct MirrorPaddingAdjoint<TElement, TStorage, TReal>
    : IMapProgram<PaddingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PaddingParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PaddingParameters<TStorage> parameters) => 8;

    public static void Apply(in PaddingParameters<TStorage> parameters, in MapPosition at)
    {
        var total = TReal.Zero;
        for (int vertical = 0; vertical < 3; vertical++)
        {
            int row = Copy(vertical, at.Row, parameters.Height, parameters.Border);
            for (int horizontal = 0; row >= 0 && horizontal < 3; horizontal++)
            {
                int column = Copy(horizontal, at.Column, parameters.Width, parameters.Border);
                if (column >= 0)
                    total += TElement.Load(parameters.Source.Data[parameters.Source.Offset(at.Image, at.Channel, row, column)]);
            }
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(total);
    }

    // Where the map with a border holds an index: itself, before the first, after the last; -1 where it does not.
    private static int Copy(int side, int index, int length, int border)
    {
        if (side == 0)
            return index + border;
        int copy = side == 1 ? border - index : 2 * (length - 1) - index + border;
        bool isBorder = side == 1 ? index > 0 && index <= border : index < length - 1 && index >= length - 1 - border;
        return isBorder ? copy : -1;
    }
}

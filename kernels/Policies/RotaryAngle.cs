using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Policies;

/// <summary>The angle by which a channel of rotary positions is turned: of a row's and a column's coordinate.</summary>
internal interface IRotaryAngle
{
    /// <summary>The coordinate of an index along an axis.</summary>
    static abstract TReal Coordinate<TElement, TStorage, TReal>(int index, int length)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>The part of the angle of a channel of a head that depends on the row.</summary>
    static abstract TReal OfRow<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int row)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>The part of the angle of a channel of a head that depends on the column.</summary>
    static abstract TReal OfColumn<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int column)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>The angle of a channel of a head.</summary>
    static abstract TReal Of<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int row, int column)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;
}

/// <summary>
/// Fixed periods over pixel centres in [−1, 1]: of each half of the channels the first half follows the rows, the second the
/// columns.
/// </summary>
internal readonly struct PeriodicAngle : IRotaryAngle
{
    public static TReal Coordinate<TElement, TStorage, TReal>(int index, int length)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        TElement.FromCount(2 * index + 1) / TElement.FromCount(length) - TReal.One;

    public static TReal OfRow<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int row)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => FollowsRows(in parameters, channel)
            ? Turns(in parameters, channel, Coordinate<TElement, TStorage, TReal>(row, parameters.Height))
            : TReal.Zero;

    public static TReal OfColumn<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int column)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => FollowsRows(in parameters, channel)
            ? TReal.Zero
            : Turns(in parameters, channel, Coordinate<TElement, TStorage, TReal>(column, parameters.Width));

    public static TReal Of<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int row, int column)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        bool followsRows = FollowsRows(in parameters, channel);
        return Turns(in parameters, channel, Coordinate<TElement, TStorage, TReal>(
            followsRows ? row : column, followsRows ? parameters.Height : parameters.Width));
    }

    private static bool FollowsRows<TStorage, TReal>(in RotaryParameters<TStorage, TReal> parameters, int channel)
        where TStorage : unmanaged
        where TReal : unmanaged => channel / (parameters.HeadChannels / 4) % 2 == 0;

    private static TReal Turns<TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, TReal coordinate)
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        int period = channel % (parameters.HeadChannels / 4);
        return TReal.Tau * coordinate / parameters.Frequencies.Data[parameters.Frequencies.Offset(0, period, 0, 0)];
    }
}

/// <summary>An angle for each channel from learned factors of coordinates that run from 0 to 1 over the map.</summary>
internal readonly struct LearnedAngle : IRotaryAngle
{
    public static TReal Coordinate<TElement, TStorage, TReal>(int index, int length)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        length == 1 ? TReal.Zero : TElement.FromCount(index) / TElement.FromCount(length - 1);

    public static TReal OfRow<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int row)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        parameters.Frequencies.Data[parameters.Frequencies.Offset(0, channel, 0, 0)]
            * Coordinate<TElement, TStorage, TReal>(row, parameters.Height);

    public static TReal OfColumn<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int column)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        parameters.Frequencies.Data[parameters.Frequencies.Offset(1, channel, 0, 0)]
            * Coordinate<TElement, TStorage, TReal>(column, parameters.Width);

    public static TReal Of<TElement, TStorage, TReal>(
        in RotaryParameters<TStorage, TReal> parameters, int channel, int row, int column)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        OfRow<TElement, TStorage, TReal>(in parameters, channel, row)
            + OfColumn<TElement, TStorage, TReal>(in parameters, channel, column);
}

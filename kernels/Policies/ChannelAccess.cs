using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Policies;

/// <summary>How a thread reads and writes four consecutive channels of one position of a map.</summary>
internal interface IChannelAccess
{
    /// <summary>
    /// Gets whether neighbouring threads should take neighbouring channels (the map has them side by side) rather
    /// than neighbouring positions.
    /// </summary>
    static abstract bool ChannelsFastest { get; }

    /// <summary>Gets the cells of a row of a tile of cell pairs.</summary>
    static abstract int TileWidth { get; }

    /// <summary>Reads up to four channels; those past <paramref name="remaining"/> are 0.</summary>
    static abstract Pack4<TReal> Load<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>
    /// Reads up to four channels at a position of 32 bits; those past <paramref name="remaining"/> are 0.
    /// </summary>
    /// <param name="map">The memory of the map.</param>
    /// <param name="position">The position, counted in packs of four channels where these are accessed whole.</param>
    /// <param name="pack">The packs of four channels to go on from there, a constant.</param>
    /// <param name="channelStride">From a channel to the next.</param>
    /// <param name="remaining">The channels that there are from <paramref name="position"/> on.</param>
    static abstract Pack4<TReal> LoadNear<TElement, TStorage, TReal>(
        ArrayView<TStorage> map, int position, int pack, int channelStride, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>Writes up to four channels at a position of 32 bits; see <see cref="LoadNear"/>.</summary>
    static abstract void StoreNear<TElement, TStorage, TReal>(
        ArrayView<TStorage> map, int position, int pack, int channelStride, int remaining, in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>Writes up to four channels; those past <paramref name="remaining"/> are left alone.</summary>
    static abstract void Store<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining, in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;
}

/// <summary>
/// Channels-last maps whose channel count is a multiple of four and whose memory is aligned: one vector access.
/// </summary>
internal readonly struct VectorAccess : IChannelAccess
{
    public static bool ChannelsFastest => true;

    public static int TileWidth => 4;

    public static Pack4<TReal> Load<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        Widen<TElement, TStorage, TReal>(map.Data.AsAligned(16).Cast<Pack4<TStorage>>()[offset / 4]);

    public static Pack4<TReal> LoadNear<TElement, TStorage, TReal>(
        ArrayView<TStorage> map, int position, int pack, int channelStride, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => Widen<TElement, TStorage, TReal>(
            map.AsAligned(16).Cast<Pack4<TStorage>>().SubView(position, 1)[pack]);

    public static void Store<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining, in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        map.Data.AsAligned(16).Cast<Pack4<TStorage>>()[offset / 4] = Narrow<TElement, TStorage, TReal>(in value);
    }

    public static void StoreNear<TElement, TStorage, TReal>(
        ArrayView<TStorage> map, int position, int pack, int channelStride, int remaining, in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var packs = map.AsAligned(16).Cast<Pack4<TStorage>>().SubView(position, 1);
        packs[pack] = Narrow<TElement, TStorage, TReal>(in value);
    }

    private static Pack4<TReal> Widen<TElement, TStorage, TReal>(Pack4<TStorage> stored)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => new()
        {
            X = TElement.Load(stored.X),
            Y = TElement.Load(stored.Y),
            Z = TElement.Load(stored.Z),
            W = TElement.Load(stored.W),
        };

    private static Pack4<TStorage> Narrow<TElement, TStorage, TReal>(in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => new()
        {
            X = TElement.Store(value.X),
            Y = TElement.Store(value.Y),
            Z = TElement.Store(value.Z),
            W = TElement.Store(value.W),
        };
}

/// <summary>
/// Maps of any strides and any channel count. In the contiguous format neighbouring threads take neighbouring columns,
/// so the four scalar accesses of a warp are four contiguous ones.
/// </summary>
internal readonly struct StridedAccess : IChannelAccess
{
    public static bool ChannelsFastest => false;

    public static int TileWidth => 8;

    public static Pack4<TReal> Load<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var value = default(Pack4<TReal>);
        value.X = TElement.Load(map.Data[offset]);
        if (remaining > 1)
            value.Y = TElement.Load(map.Data[offset + map.ChannelStride]);
        if (remaining > 2)
            value.Z = TElement.Load(map.Data[offset + 2 * map.ChannelStride]);
        if (remaining > 3)
            value.W = TElement.Load(map.Data[offset + 3 * map.ChannelStride]);
        return value;
    }

    public static Pack4<TReal> LoadNear<TElement, TStorage, TReal>(
        ArrayView<TStorage> map, int position, int pack, int channelStride, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var value = default(Pack4<TReal>);
        int at = position + 4 * pack * channelStride;
        if (remaining > 3)
        {
            value.X = TElement.Load(map[at]);
            value.Y = TElement.Load(map[at + channelStride]);
            value.Z = TElement.Load(map[at + 2 * channelStride]);
            value.W = TElement.Load(map[at + 3 * channelStride]);
            return value;
        }
        value.X = TElement.Load(map[at]);
        if (remaining > 1)
            value.Y = TElement.Load(map[at + channelStride]);
        if (remaining > 2)
            value.Z = TElement.Load(map[at + 2 * channelStride]);
        return value;
    }

    public static void Store<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining, in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        map.Data[offset] = TElement.Store(value.X);
        if (remaining > 1)
            map.Data[offset + map.ChannelStride] = TElement.Store(value.Y);
        if (remaining > 2)
            map.Data[offset + 2 * map.ChannelStride] = TElement.Store(value.Z);
        if (remaining > 3)
            map.Data[offset + 3 * map.ChannelStride] = TElement.Store(value.W);
    }

    public static void StoreNear<TElement, TStorage, TReal>(
        ArrayView<TStorage> map, int position, int pack, int channelStride, int remaining, in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        int at = position + 4 * pack * channelStride;
        map[at] = TElement.Store(value.X);
        if (remaining > 1)
            map[at + channelStride] = TElement.Store(value.Y);
        if (remaining > 2)
            map[at + 2 * channelStride] = TElement.Store(value.Z);
        if (remaining > 3)
            map[at + 3 * channelStride] = TElement.Store(value.W);
    }
}

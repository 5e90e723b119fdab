using System.Numerics;
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

    /// <summary>Reads up to four channels; those past <paramref name="remaining"/> are 0.</summary>
    static abstract Pack4<TReal> Load<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining)
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

    public static Pack4<TReal> Load<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var stored = map.Data.AsAligned(16).Cast<Pack4<TStorage>>()[offset / 4];
        return new Pack4<TReal>
        {
            X = TElement.Load(stored.X),
            Y = TElement.Load(stored.Y),
            Z = TElement.Load(stored.Z),
            W = TElement.Load(stored.W),
        };
    }

    public static void Store<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining, in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        map.Data.AsAligned(16).Cast<Pack4<TStorage>>()[offset / 4] = new Pack4<TStorage>
        {
            X = TElement.Store(value.X),
            Y = TElement.Store(value.Y),
            Z = TElement.Store(value.Z),
            W = TElement.Store(value.W),
        };
    }
}

/// <summary>
/// Maps of any strides and any channel count. In the contiguous format neighbouring threads take neighbouring columns,
/// so the four scalar accesses of a warp are four contiguous ones.
/// </summary>
internal readonly struct StridedAccess : IChannelAccess
{
    public static bool ChannelsFastest => false;

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
}

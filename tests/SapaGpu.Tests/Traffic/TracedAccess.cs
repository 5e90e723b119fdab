using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Tests.Traffic;

/// <summary>Notes every access of four channels and makes it.</summary>
internal readonly struct TracedAccess<TAccess> : IChannelAccess
    where TAccess : struct, IChannelAccess
{
    public static bool ChannelsFastest => TAccess.ChannelsFastest;

    public static Pack4<TReal> Load<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        Note(in map, offset, remaining, isWrite: 0);
        return TAccess.Load<TElement, TStorage, TReal>(in map, offset, remaining);
    }

    public static void Store<TElement, TStorage, TReal>(
        in MapView<TStorage> map, long offset, int remaining, in Pack4<TReal> value)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        Note(in map, offset, remaining, isWrite: 1);
        TAccess.Store<TElement, TStorage, TReal>(in map, offset, remaining, in value);
    }

    private static void Note<TStorage>(in MapView<TStorage> map, long offset, int remaining, int isWrite)
        where TStorage : unmanaged
    {
        if (TAccess.ChannelsFastest)
        {
            AccessTrace.Note(Grid.IdxX, Group.IdxX, map.Data, offset, 4, isWrite);
            return;
        }
        for (int channel = 0; channel < 4 && channel < remaining; channel++)
            AccessTrace.Note(Grid.IdxX, Group.IdxX, map.Data, offset + channel * map.ChannelStride, 1, isWrite);
    }
}

using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A round of 16-bit channels on their way to shared memory, where they are as in the map, eight to a pack, the packs of
/// a position side by side. A group of 128 threads copies eight packs of 64 positions, or four packs of 128: four packs
/// a thread.
/// </summary>
internal struct MatrixRound
{
    /// <summary>The threads of a group.</summary>
    public const int GroupSize = 128;

    /// <summary>The channels of a pack.</summary>
    public const int Channels = 8;

    /// <summary>The bytes of a pack.</summary>
    public const int PackBytes = 16;

    private const int WarpSize = 32;
    private const int Warps = GroupSize / WarpSize;

    private Pack4<uint> first;
    private Pack4<uint> second;
    private Pack4<uint> third;
    private Pack4<uint> fourth;
    private int index;
    private int count;
    private int pack;

    /// <summary>The positions of a round.</summary>
    /// <param name="packs">The packs of each, 8 or 4.</param>
    public static int Positions(int packs) => 4 * GroupSize / packs;

    /// <summary>
    /// Copies packs of the first positions of a map; those outside the map or past the last channel are 0. Run by a whole
    /// group; the caller places the barriers.
    /// </summary>
    /// <param name="map">The map; by vectors its channels are a multiple of eight.</param>
    /// <param name="count">The positions.</param>
    /// <param name="firstChannel">The first channel to copy.</param>
    /// <param name="channels">The channels of the map.</param>
    /// <param name="packs">The packs of each position, 4, 8 or 16, a constant.</param>
    /// <param name="pitch">The packs from a position to the next.</param>
    /// <param name="target">The shared memory.</param>
    public static void Stage<TStorage, TAccess>(
        in TileMap<TStorage> map,
        int count,
        int firstChannel,
        int channels,
        int packs,
        int pitch,
        ArrayView<Pack4<uint>> target)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        const int MostAtOnce = 8;
        int across = Math.Min(MostAtOnce, packs);
        for (int position = 0; position < count; position += Positions(across))
        {
            var low = Read<TStorage, TAccess>(in map, position, count, firstChannel, channels, across);

            // Values that are read one by one take a register each: two rounds of them are too many.
            if (!TAccess.ChannelsFastest)
                low.Write<TAccess>(target, pitch, across);
            if (packs > across)
            {
                var high = Read<TStorage, TAccess>(
                    in map, position, count, firstChannel + MostAtOnce * Channels, channels, across);
                high.Write<TAccess>(target.SubView(MostAtOnce), pitch, across);
            }
            if (TAccess.ChannelsFastest)
                low.Write<TAccess>(target, pitch, across);
        }
    }

    /// <summary>Reads the round that begins at a position.</summary>
    public static MatrixRound Read<TStorage, TAccess>(
        in TileMap<TStorage> map, int position, int count, int firstChannel, int channels, int packs)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        // Where channels lie side by side, neighbouring threads take neighbouring packs, else neighbouring positions.
        bool byPacks = TAccess.ChannelsFastest;
        var round = new MatrixRound
        {
            index = position + (byPacks ? Group.IdxX / packs : Group.IdxX & (WarpSize - 1)),
            pack = byPacks ? Group.IdxX & (packs - 1) : Group.IdxX / WarpSize,
            count = count,
        };
        int channel = firstChannel + Channels * round.pack;
        round.first = round.Read<TStorage, TAccess>(in map, 0, channel, channels, packs);
        round.second = round.Read<TStorage, TAccess>(in map, 1, channel, channels, packs);
        round.third = round.Read<TStorage, TAccess>(in map, 2, channel, channels, packs);
        round.fourth = round.Read<TStorage, TAccess>(in map, 3, channel, channels, packs);
        return round;
    }

    /// <summary>Writes the round.</summary>
    public readonly void Write<TAccess>(ArrayView<Pack4<uint>> target, int pitch, int packs)
        where TAccess : struct, IChannelAccess
    {
        var own = target.SubView(index * pitch + pack, 1);
        if (index + PositionOf<TAccess>(0, packs) < count)
            own[0] = first;
        if (index + PositionOf<TAccess>(1, packs) < count)
            own[PositionOf<TAccess>(1, packs) * pitch + PackOf<TAccess>(1, packs)] = second;
        if (index + PositionOf<TAccess>(2, packs) < count)
            own[PositionOf<TAccess>(2, packs) * pitch + PackOf<TAccess>(2, packs)] = third;
        if (index + PositionOf<TAccess>(3, packs) < count)
            own[PositionOf<TAccess>(3, packs) * pitch + PackOf<TAccess>(3, packs)] = fourth;
    }

    // How many positions after the first of a thread an item is.
    private static int PositionOf<TAccess>(int item, int packs)
        where TAccess : struct, IChannelAccess => TAccess.ChannelsFastest
            ? item * (GroupSize / packs)
            : item * Warps / packs * WarpSize;

    private static int PackOf<TAccess>(int item, int packs)
        where TAccess : struct, IChannelAccess => TAccess.ChannelsFastest ? 0 : item * Warps & (packs - 1);

    private readonly Pack4<uint> Read<TStorage, TAccess>(
        in TileMap<TStorage> map, int item, int firstChannel, int channels, int packs)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int at = index + PositionOf<TAccess>(item, packs);
        int position = map.Positions[at];
        int channel = firstChannel + Channels * PackOf<TAccess>(item, packs);
        bool inside = at < count & position >= 0;
        int remaining = inside ? channels - channel : 0;
        if (TAccess.ChannelsFastest)
        {
            // A position counts packs of four channels.
            var whole = default(Pack4<uint>);
            if (remaining > 0)
                whole = map.Data.AsAligned(PackBytes).Cast<Pack4<uint>>()[position / 2 + channel / Channels];
            return whole;
        }
        int source = position + channel * map.ChannelStride;
        return new Pack4<uint>
        {
            X = ReadPair(in map, source, remaining),
            Y = ReadPair(in map, source + 2 * map.ChannelStride, remaining - 2),
            Z = ReadPair(in map, source + 4 * map.ChannelStride, remaining - 4),
            W = ReadPair(in map, source + 6 * map.ChannelStride, remaining - 6),
        };
    }

    // A condition for each read: the assembler makes a predicate of it, and no branch that the next read waits behind.
    private static uint ReadPair<TStorage>(in TileMap<TStorage> map, int source, int remaining)
        where TStorage : unmanaged
    {
        var values = map.Data.Cast<ushort>();
        uint low = 0;
        uint high = 0;
        if (remaining > 0)
            low = values[source];
        if (remaining > 1)
            high = values[source + map.ChannelStride];
        return low | high << 16;
    }
}

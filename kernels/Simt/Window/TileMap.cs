using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A map as the threads of one tile see it: the position of every cell or query of the tile in 32 bits, out of a table.
/// Borders and ratios are a matter of the table: loops that read by it have no divisions and no cases.
/// </summary>
/// <remarks>
/// The table is in shared memory: ILGPU's optimiser moves calculations to their use, into loops as well, and does not
/// move what was stored. The caller places a barrier before what is located here is used, and sees to it that the map's
/// last element, or pack of four where these are accessed whole, has a number of 31 bits.
/// </remarks>
internal struct TileMap<TStorage>
    where TStorage : unmanaged
{
    /// <summary>A position outside the map, or one that is not to be read or written.</summary>
    public const int Outside = -1;

    private const int MostAcross = 8;

    // Where columns lie side by side.
    private const int PacksBeside = 2;

    /// <summary>The memory of the map.</summary>
    public ArrayView<TStorage> Data;

    /// <summary>The distance from a channel to the next, for accesses of single channels.</summary>
    public int ChannelStride;

    /// <summary>The positions of the first channel; in packs of four channels where these are accessed whole.</summary>
    public ArrayView<int> Positions;

    /// <summary>The positions of the cells that the windows of a tile cover, row by row.</summary>
    public static TileMap<TStorage> OfCells<TWindow, TBorder, TShape, TAccess>(
        in WindowExtent extent, in CellPairTile tile, in MapView<TStorage> map, ArrayView<int> positions)
        where TWindow : struct, IWindow
        where TBorder : struct, IBorder
        where TShape : struct, IChannelAccess
        where TAccess : struct, IChannelAccess
    {
        int radius = TWindow.Size(0) / 2;
        int width = CellPair.HaloWidth<TWindow, TShape>();
        int i = Group.IdxX;
        positions[i] = Outside;
        if (i < CellPair.HaloCells<TWindow, TShape>())
        {
            int row = tile.Row - radius + i / width;
            int column = tile.Column - radius + (i - i / width * width);
            if (TBorder.Replicates)
            {
                row = AxisTaps.Clamp(row, extent.Height);
                column = AxisTaps.Clamp(column, extent.Width);
            }
            bool inside = row >= 0 & row < extent.Height & column >= 0 & column < extent.Width;
            if (inside)
                positions[i] = Position<TAccess>(map.Offset(tile.Image, 0, row, column));
        }
        return Of(in map, positions);
    }

    /// <summary>
    /// The positions of the queries of a query pack, four for each cell, the cells pair by pair. Those that a pack has
    /// too few of are outside.
    /// </summary>
    public static TileMap<TStorage> OfQueries<TScale, TShape, TAccess>(
        in WindowExtent extent, in CellPairTile tile, int pack, in MapView<TStorage> map, ArrayView<int> positions)
        where TScale : struct, IScale
        where TShape : struct, IChannelAccess
        where TAccess : struct, IChannelAccess
    {
        int i = Group.IdxX;
        positions[i] = Outside;
        if (i < CellPair.Queries)
        {
            int row = tile.CellRow<TShape>(i / 4);
            int column = tile.CellColumn<TShape>(i / 4);
            var queries = CellQueries.Locate<TScale>(in extent, row, column);
            int query = pack * 4 + (i & 3);
            bool inside = tile.Holds(row, column, extent.Width) & query < queries.Count;
            if (inside)
                positions[i] = Position<TAccess>(queries.Offset(in map, tile.Image, query));
        }
        return Of(in map, positions);
    }

    /// <summary>The distance of a channel, the first of a pack, from the position of the first one.</summary>
    public readonly int ToChannel<TAccess>(int channel)
        where TAccess : struct, IChannelAccess =>
        TAccess.ChannelsFastest ? channel / 4 : channel * ChannelStride;

    /// <summary>The offset of a single channel of a position, for a few accesses.</summary>
    public readonly long Offset<TAccess>(int position, int channel)
        where TAccess : struct, IChannelAccess =>
        TAccess.ChannelsFastest ? 4L * position + channel : position + (long)channel * ChannelStride;

    /// <summary>
    /// Copies channels of all positions to shared memory, four to a pack, packs of a position side by side; those
    /// outside the map or past the last channel are 0. Run by a whole group; the caller places the barriers.
    /// </summary>
    /// <param name="groupSize">The threads of the group.</param>
    /// <param name="count">The positions.</param>
    /// <param name="firstChannel">The first channel to copy.</param>
    /// <param name="channels">The channels of the map.</param>
    /// <param name="packs">The packs to copy of each position.</param>
    /// <param name="pitch">The packs from a position to the next.</param>
    /// <param name="extraPitch">The packs more from each eighth position to the next.</param>
    /// <param name="target">The shared memory.</param>
    public readonly void Stage<TElement, TReal, TAccess>(
        int groupSize,
        int count,
        int firstChannel,
        int channels,
        int packs,
        int pitch,
        int extraPitch,
        ArrayView<Pack4<TReal>> target)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        if (TAccess.ChannelsFastest)
        {
            StagePacks<TElement, TReal, TAccess>(
                groupSize, count, firstChannel, channels, packs, pitch, extraPitch, target);
        }
        else
        {
            StageChannels<TElement, TReal, TAccess>(
                groupSize, count, firstChannel, channels, packs, pitch, extraPitch, target);
        }
    }

    // Eight neighbouring threads take neighbouring packs, each thread those of four positions at once: the reads of a
    // round come before its writes, so that their times overlap.
    private readonly void StagePacks<TElement, TReal, TAccess>(
        int groupSize,
        int count,
        int firstChannel,
        int channels,
        int packs,
        int pitch,
        int extraPitch,
        ArrayView<Pack4<TReal>> target)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        int across = Across(packs);
        for (int item = Group.IdxX; item < count * across; item += 4 * groupSize)
        {
            var items = Items<TAccess>(groupSize, item, count, firstChannel, channels, across, pitch, extraPitch);
            ReadItems<TElement, TReal, TAccess>(in items, 0).Write(target, 0);
            if (packs > across)
                ReadItems<TElement, TReal, TAccess>(in items, MostAcross).Write(target, MostAcross);
            if (packs > 2 * across)
                ReadItems<TElement, TReal, TAccess>(in items, 2 * MostAcross).Write(target, 2 * MostAcross);
            if (packs > 3 * across)
                ReadItems<TElement, TReal, TAccess>(in items, 3 * MostAcross).Write(target, 3 * MostAcross);
        }
    }

    /// <summary>
    /// Whether the packs of some positions are one round of four for each thread, which <see cref="ReadRound"/> reads.
    /// </summary>
    public static bool IsOneRound<TAccess>(int groupSize, int count, int packs)
        where TAccess : struct, IChannelAccess =>
        TAccess.ChannelsFastest
            ? packs <= MostAcross & count * Across(packs) <= 4 * groupSize
            : packs == 4 * PacksBeside & count * PacksBeside <= groupSize;

    /// <summary>
    /// The first half of <see cref="Stage"/> where it is one round: the reads alone, so that those of another map can be
    /// under way at the same time.
    /// </summary>
    public readonly StagedRound<TReal> ReadRound<TElement, TReal, TAccess>(
        int groupSize, int count, int firstChannel, int channels, int packs, int pitch, int extraPitch)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        if (!TAccess.ChannelsFastest)
            return ReadChannelRound<TElement, TReal, TAccess>(count, firstChannel, channels, pitch, extraPitch);
        var items = Items<TAccess>(
            groupSize, Group.IdxX, count, firstChannel, channels, Across(packs), pitch, extraPitch);
        return ReadItems<TElement, TReal, TAccess>(in items, 0);
    }

    // A thread takes four packs of a position.
    private readonly StagedRound<TReal> ReadChannelRound<TElement, TReal, TAccess>(
        int count, int firstChannel, int channels, int pitch, int extraPitch)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        int index = Group.IdxX / PacksBeside;
        int pack = Group.IdxX & (PacksBeside - 1);
        bool has = index < count;
        int position = Positions[index];
        int source = position + ToChannel<TAccess>(firstChannel + 4 * pack);
        int remaining = has & position >= 0 ? channels - firstChannel - 4 * pack : 0;
        int step = ToChannel<TAccess>(4 * PacksBeside);
        int target = Target(index, pitch, extraPitch) + pack;
        return new StagedRound<TReal>
        {
            First = ReadChannels<TElement, TReal, TAccess>(source, remaining),
            Second = ReadChannels<TElement, TReal, TAccess>(source + step, remaining - 4 * PacksBeside),
            Third = ReadChannels<TElement, TReal, TAccess>(source + 2 * step, remaining - 8 * PacksBeside),
            Fourth = ReadChannels<TElement, TReal, TAccess>(source + 3 * step, remaining - 12 * PacksBeside),
            Items = new StagedItems
            {
                FirstTarget = target,
                SecondTarget = target + PacksBeside,
                ThirdTarget = target + 2 * PacksBeside,
                FourthTarget = target + 3 * PacksBeside,
                HasFirst = has,
                HasSecond = has,
                HasThird = has,
                HasFourth = has,
            },
        };
    }

    private static int Across(int packs) => Math.Min(MostAcross, packs);

    // What a thread copies from an item on: its own and those of three more rounds of the group.
    private readonly StagedItems Items<TAccess>(
        int groupSize, int item, int count, int firstChannel, int channels, int across, int pitch, int extraPitch)
        where TAccess : struct, IChannelAccess
    {
        int pack = Group.IdxX & (across - 1);
        return new StagedItems
        {
            Source = ToChannel<TAccess>(firstChannel + 4 * pack),
            Remaining = channels - firstChannel - 4 * pack,
            First = Positions[item / across],
            Second = Positions[(item + groupSize) / across],
            Third = Positions[(item + 2 * groupSize) / across],
            Fourth = Positions[(item + 3 * groupSize) / across],
            FirstTarget = Target(item / across, pitch, extraPitch) + pack,
            SecondTarget = Target((item + groupSize) / across, pitch, extraPitch) + pack,
            ThirdTarget = Target((item + 2 * groupSize) / across, pitch, extraPitch) + pack,
            FourthTarget = Target((item + 3 * groupSize) / across, pitch, extraPitch) + pack,
            HasFirst = item < count * across,
            HasSecond = item + groupSize < count * across,
            HasThird = item + 2 * groupSize < count * across,
            HasFourth = item + 3 * groupSize < count * across,
        };
    }

    private readonly StagedRound<TReal> ReadItems<TElement, TReal, TAccess>(in StagedItems items, int pack)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        bool some = items.Remaining > 4 * pack;
        return new StagedRound<TReal>
        {
            First = Read<TElement, TReal, TAccess>(
                some & items.HasFirst & items.First >= 0, items.First + items.Source, pack),
            Second = Read<TElement, TReal, TAccess>(
                some & items.HasSecond & items.Second >= 0, items.Second + items.Source, pack),
            Third = Read<TElement, TReal, TAccess>(
                some & items.HasThird & items.Third >= 0, items.Third + items.Source, pack),
            Fourth = Read<TElement, TReal, TAccess>(
                some & items.HasFourth & items.Fourth >= 0, items.Fourth + items.Source, pack),
            Items = items,
        };
    }

    private readonly Pack4<TReal> Read<TElement, TReal, TAccess>(bool inside, int source, int pack)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        var value = default(Pack4<TReal>);
        if (inside)
            value = TAccess.LoadNear<TElement, TStorage, TReal>(Data, source, pack, ChannelStride, 4);
        return value;
    }

    // Neighbouring threads take neighbouring positions; two packs beside each other keep the writes to shared memory
    // free of bank conflicts. A thread takes up to eight packs of a position at once, 32 reads whose times overlap.
    private readonly void StageChannels<TElement, TReal, TAccess>(
        int groupSize,
        int count,
        int firstChannel,
        int channels,
        int packs,
        int pitch,
        int extraPitch,
        ArrayView<Pack4<TReal>> target)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        int rounds = Math.Min(8, packs / PacksBeside);
        int pack = Group.IdxX & (PacksBeside - 1);
        int toRound = ToChannel<TAccess>(4 * PacksBeside * rounds);
        for (int item = Group.IdxX; item < count * PacksBeside; item += groupSize)
        {
            int position = Positions[item / PacksBeside];
            int source = position + ToChannel<TAccess>(firstChannel + 4 * pack);
            int remaining = position < 0 ? 0 : channels - firstChannel - 4 * pack;
            int at = Target(item / PacksBeside, pitch, extraPitch) + pack;
            for (int left = packs / (PacksBeside * rounds); left > 0; left--)
            {
                StageChannels<TElement, TReal, TAccess>(source, remaining, rounds, target.SubView(at, 1));
                source += toRound;
                at += PacksBeside * rounds;
                remaining -= 4 * PacksBeside * rounds;
            }
        }
    }

    private readonly void StageChannels<TElement, TReal, TAccess>(
        int source, int remaining, int rounds, ArrayView<Pack4<TReal>> target)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess
    {
        int step = ToChannel<TAccess>(4 * PacksBeside);
        var first = ReadChannels<TElement, TReal, TAccess>(source, remaining);
        var second = ReadChannels<TElement, TReal, TAccess>(
            source + step, rounds > 1 ? remaining - 4 * PacksBeside : 0);
        var third = ReadChannels<TElement, TReal, TAccess>(
            source + 2 * step, rounds > 2 ? remaining - 8 * PacksBeside : 0);
        var fourth = ReadChannels<TElement, TReal, TAccess>(
            source + 3 * step, rounds > 2 ? remaining - 12 * PacksBeside : 0);
        var fifth = ReadChannels<TElement, TReal, TAccess>(
            source + 4 * step, rounds > 4 ? remaining - 16 * PacksBeside : 0);
        var sixth = ReadChannels<TElement, TReal, TAccess>(
            source + 5 * step, rounds > 4 ? remaining - 20 * PacksBeside : 0);
        var seventh = ReadChannels<TElement, TReal, TAccess>(
            source + 6 * step, rounds > 4 ? remaining - 24 * PacksBeside : 0);
        var eighth = ReadChannels<TElement, TReal, TAccess>(
            source + 7 * step, rounds > 4 ? remaining - 28 * PacksBeside : 0);
        target[0] = first;
        if (rounds > 1)
            target[PacksBeside] = second;
        if (rounds > 2)
        {
            target[2 * PacksBeside] = third;
            target[3 * PacksBeside] = fourth;
        }
        if (rounds > 4)
        {
            target[4 * PacksBeside] = fifth;
            target[5 * PacksBeside] = sixth;
            target[6 * PacksBeside] = seventh;
            target[7 * PacksBeside] = eighth;
        }
    }

    // A condition for each read: ptxas makes a predicate of it, and no branch that the next read would wait behind.
    private readonly Pack4<TReal> ReadChannels<TElement, TReal, TAccess>(int source, int remaining)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TAccess : struct, IChannelAccess => new()
        {
            X = ReadChannel<TElement, TReal>(source, remaining > 0),
            Y = ReadChannel<TElement, TReal>(source + ChannelStride, remaining > 1),
            Z = ReadChannel<TElement, TReal>(source + 2 * ChannelStride, remaining > 2),
            W = ReadChannel<TElement, TReal>(source + 3 * ChannelStride, remaining > 3),
        };

    private readonly TReal ReadChannel<TElement, TReal>(int source, bool inside)
        where TElement : struct, IElement<TStorage, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var value = TReal.Zero;
        if (inside)
            value = TElement.Load(Data[source]);
        return value;
    }

    /// <summary>A map and positions that are known.</summary>
    public static TileMap<TStorage> Of(in MapView<TStorage> map, ArrayView<int> positions) =>
        new() { Data = map.Data, ChannelStride = (int)map.ChannelStride, Positions = positions };

    private static int Target(int index, int pitch, int extraPitch) => index * pitch + index / 8 * extraPitch;

    /// <summary>The position of an element of the first channel.</summary>
    public static int Position<TAccess>(long offset)
        where TAccess : struct, IChannelAccess => (int)(TAccess.ChannelsFastest ? offset >> 2 : offset);
}

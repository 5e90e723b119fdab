using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A round of 16-bit channels on their way to shared memory, where they lie eight to a pack, the packs of a position side
/// by side. A group of 128 threads copies eight packs of 64 positions, or four packs of 128: four packs a thread.
/// </summary>
internal struct MatrixRound
{
    /// <summary>The threads of a group.</summary>
    public const int GroupSize = 128;

    /// <summary>The channels of a pack.</summary>
    public const int Channels = 8;

    /// <summary>The bytes of a pack.</summary>
    public const int PackBytes = 16;

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
    /// <param name="map">The map; its channels are a multiple of eight.</param>
    /// <param name="count">The positions.</param>
    /// <param name="firstChannel">The first channel to copy.</param>
    /// <param name="channels">The channels of the map.</param>
    /// <param name="packs">The packs of each position, 4, 8 or 16, a constant.</param>
    /// <param name="pitch">The packs from a position to the next.</param>
    /// <param name="target">The shared memory.</param>
    /// <param name="forSums">
    /// Whether what is copied is multiplied for <see cref="MatrixProduct{TMatrix}"/>, whose channels have an order of
    /// their own where they lie side by side in the map; a constant.
    /// </param>
    public static void Stage<TStorage, TAccess>(
        in TileMap<TStorage> map,
        int count,
        int firstChannel,
        int channels,
        int packs,
        int pitch,
        ArrayView<Pack4<uint>> target,
        bool forSums)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        if (!TAccess.ChannelsFastest)
        {
            MatrixColumns<TStorage>.Stage(in map, count, firstChannel, channels, packs, pitch, target);
            return;
        }
        const int MostAtOnce = 8;
        int across = Math.Min(MostAtOnce, packs);
        for (int position = 0; position < count; position += Positions(across))
        {
            var low = Read(in map, position, count, firstChannel, channels, across);
            if (packs > across)
            {
                var high = Read(in map, position, count, firstChannel + MostAtOnce * Channels, channels, across);
                high.Write(target.SubView(MostAtOnce), pitch, across, forSums);
            }
            low.Write(target, pitch, across, forSums);
        }
    }

    /// <summary>Reads the round that begins at a position, of a map whose channels lie side by side.</summary>
    public static MatrixRound Read<TStorage>(
        in TileMap<TStorage> map, int position, int count, int firstChannel, int channels, int packs)
        where TStorage : unmanaged
    {
        var round = new MatrixRound
        {
            index = position + Group.IdxX / packs,
            pack = Group.IdxX & (packs - 1),
            count = count,
        };
        int channel = firstChannel + Channels * round.pack;
        round.first = round.Read(in map, 0, channel, channels, packs);
        round.second = round.Read(in map, 1, channel, channels, packs);
        round.third = round.Read(in map, 2, channel, channels, packs);
        round.fourth = round.Read(in map, 3, channel, channels, packs);
        return round;
    }

    /// <summary>Writes the round; <paramref name="forSums"/> as in <see cref="Stage"/>.</summary>
    public readonly void Write(ArrayView<Pack4<uint>> target, int pitch, int packs, bool forSums)
    {
        int step = GroupSize / packs;
        int own = index * pitch + pack;
        if (index < count)
            Write(target, own, in first, forSums);
        if (index + step < count)
            Write(target, own + step * pitch, in second, forSums);
        if (index + 2 * step < count)
            Write(target, own + 2 * step * pitch, in third, forSums);
        if (index + 3 * step < count)
            Write(target, own + 3 * step * pitch, in fourth, forSums);
    }

    // For sums the four words of pack p of four go to word p of each: a lane, which has one word of each in the products,
    // has the sums of eight channels that lie side by side.
    private readonly void Write(ArrayView<Pack4<uint>> target, int at, in Pack4<uint> value, bool forSums)
    {
        if (!forSums)
        {
            target[at] = value;
            return;
        }
        var words = target.Cast<uint>().SubView(4 * (at - (pack & 3)) + (pack & 3), 1);
        words[0] = value.X;
        words[4] = value.Y;
        words[8] = value.Z;
        words[12] = value.W;
    }

    private readonly Pack4<uint> Read<TStorage>(
        in TileMap<TStorage> map, int item, int channel, int channels, int packs)
        where TStorage : unmanaged
    {
        int at = index + item * (GroupSize / packs);
        int position = map.Positions[at];

        // A position counts packs of four channels.
        var whole = default(Pack4<uint>);
        if (at < count & position >= 0 & channel < channels)
            whole = map.Data.AsAligned(PackBytes).Cast<Pack4<uint>>()[position / 2 + channel / Channels];
        return whole;
    }
}

using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// How a group copies 16-bit channels of a map whose columns lie side by side to shared memory. An item is eight channels
/// of two positions; neighbouring threads take neighbouring positions.
/// </summary>
internal struct MatrixColumns<TStorage>
    where TStorage : unmanaged
{
    private const int ItemsAtOnce = 3;

    private TileMap<TStorage> map;
    private int pairs;
    private int items;
    private int firstChannel;
    private int channels;
    private int pitch;

    /// <summary>As <see cref="MatrixRound.Stage"/>.</summary>
    /// <param name="map">
    /// The map; its channels are a multiple of eight, and the columns 2i and 2i + 1 of every row and channel lie in one
    /// aligned word.
    /// </param>
    /// <param name="count">The positions, an even number.</param>
    /// <param name="firstChannel">The first channel to copy.</param>
    /// <param name="channels">The channels of the map.</param>
    /// <param name="packs">The packs of each position.</param>
    /// <param name="pitch">The packs from a position to the next.</param>
    /// <param name="target">The shared memory.</param>
    public static void Stage(
        in TileMap<TStorage> map,
        int count,
        int firstChannel,
        int channels,
        int packs,
        int pitch,
        ArrayView<Pack4<uint>> target)
    {
        var columns = new MatrixColumns<TStorage>
        {
            map = map,
            pairs = count / 2,
            items = count / 2 * packs,
            firstChannel = firstChannel,
            channels = channels,
            pitch = pitch,
        };
        for (int item = Group.IdxX; item < columns.items; item += ItemsAtOnce * MatrixRound.GroupSize)
        {
            // All reads come before the first write, and nothing that depends on a condition between them: ILGPU moves a
            // read into the branch that uses it, and the assembler has the next reads wait for what branches merge. The
            // permutations are texts, which stay where they are.
            var first = columns.Read(item);
            var second = columns.Read(item + MatrixRound.GroupSize);
            var third = columns.Read(item + 2 * MatrixRound.GroupSize);
            columns.Write(item, in first, target);
            columns.Write(item + MatrixRound.GroupSize, in second, target);
            columns.Write(item + 2 * MatrixRound.GroupSize, in third, target);
        }
    }

    // What a division by a constant would be, were it one to the assembler; right for all items there are.
    private readonly int PackOf(int item) => item * (65536 / pairs + 1) >> 16;

    // Both positions of an item of which the words that hold the left one are all.
    private readonly MatrixPair Read(int item)
    {
        int own = Math.Min(item, items - 1);
        int pack = PackOf(own);
        int left = map.Positions[2 * (own - pack * pairs)];
        int channel = Math.Min(firstChannel + MatrixRound.Channels * pack, channels - MatrixRound.Channels);
        return ReadPair(Math.Max(left, 0) + channel * map.ChannelStride);
    }

    private readonly void Write(int item, in MatrixPair read, ArrayView<Pack4<uint>> target)
    {
        if (item >= items)
            return;
        int pack = PackOf(item);
        int pair = item - pack * pairs;
        int left = map.Positions[2 * pair];
        int right = map.Positions[2 * pair + 1];
        int channel = firstChannel + MatrixRound.Channels * pack;
        var own = target.SubView(2 * pair * pitch + pack, 1);
        if (channel < channels & left >= 0 & (left & 1) == 0 & right == left + 1)
        {
            // Eight threads write at a time: four of them the left positions and four the right ones, or they would
            // meet in every other group of banks only.
            bool swaps = (Group.IdxX & 4) != 0;
            own[swaps ? pitch : 0] = Choose(swaps, in read.Right, in read.Left);
            own[swaps ? 0 : pitch] = Choose(swaps, in read.Left, in read.Right);
        }
        else
        {
            own[0] = ReadPosition(left, channel);
            own[pitch] = ReadPosition(right, channel);
        }
    }

    private static Pack4<uint> Choose(bool first, in Pack4<uint> one, in Pack4<uint> other) => new()
    {
        X = first ? one.X : other.X,
        Y = first ? one.Y : other.Y,
        Z = first ? one.Z : other.Z,
        W = first ? one.W : other.W,
    };

    // At borders, and where windows begin at an odd column.
    private readonly Pack4<uint> ReadPosition(int position, int channel)
    {
        var pack = default(Pack4<uint>);
        if (channel < channels & position >= 0)
        {
            var pair = ReadPair(position + channel * map.ChannelStride);
            pack = (position & 1) == 0 ? pair.Left : pair.Right;
        }
        return pack;
    }

    // The columns whose words hold a position.
    private readonly MatrixPair ReadPair(int position)
    {
        int step = map.ChannelStride >> 1;
        var words = map.Data.AsAligned(4).Cast<uint>().SubView(position >> 1, 1);
        var others = words.SubView(4 * step, 1);
        return MatrixPair.Of(
            new Pack4<uint> { X = words[0], Y = words[step], Z = words[2 * step], W = words[3 * step] },
            new Pack4<uint> { X = others[0], Y = others[step], Z = others[2 * step], W = others[3 * step] });
    }
}

/// <summary>Eight channels of two columns.</summary>
internal struct MatrixPair
{
    /// <summary>The left column.</summary>
    public Pack4<uint> Left;

    /// <summary>The right column.</summary>
    public Pack4<uint> Right;

    /// <summary>Sorts the words of eight channels, each of which has both columns.</summary>
    public static MatrixPair Of(in Pack4<uint> low, in Pack4<uint> high) => new()
    {
        Left = new Pack4<uint>
        {
            X = MatrixMemory.LowHalves(low.X, low.Y),
            Y = MatrixMemory.LowHalves(low.Z, low.W),
            Z = MatrixMemory.LowHalves(high.X, high.Y),
            W = MatrixMemory.LowHalves(high.Z, high.W),
        },
        Right = new Pack4<uint>
        {
            X = MatrixMemory.HighHalves(low.X, low.Y),
            Y = MatrixMemory.HighHalves(low.Z, low.W),
            Z = MatrixMemory.HighHalves(high.X, high.Y),
            W = MatrixMemory.HighHalves(high.Z, high.W),
        },
    };
}

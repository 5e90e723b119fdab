using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// A lane's part of the product of a warp: sixteen rows, which are positions of a map, and 32 channels, in four blocks of
/// eight. Its sixteen sums are numbered block by block.
/// </summary>
internal struct MatrixProduct<TMatrix>
    where TMatrix : struct, IMatrixFormat
{
    /// <summary>The channels.</summary>
    public const int Channels = 32;

    /// <summary>The sums of a lane.</summary>
    public const int Sums = 16;

    private const int Rows = 16;

    private Pack4<float> first;
    private Pack4<float> second;
    private Pack4<float> third;
    private Pack4<float> fourth;

    private static int Lane => Group.IdxX & (CellPair.WarpSize - 1);

    /// <summary>The row of one of the lane's sums.</summary>
    public static int Row(int sum) => Lane / 4 + (sum & 2) * (Rows / 4);

    /// <summary>The column of one of the lane's sums in the product.</summary>
    public static int Column(int sum) => MatrixRound.Channels * (sum / 4) + 2 * (Lane & 3) + (sum & 1);

    /// <summary>Its channel: where channels lie side by side, those of a lane do.</summary>
    public static int Channel<TAccess>(int sum)
        where TAccess : struct, IChannelAccess =>
        TAccess.ChannelsFastest ? MatrixRound.Channels * (Lane & 3) + sum / 4 * 2 + (sum & 1) : Column(sum);

    /// <summary>Adds a product.</summary>
    /// <param name="factor">The lane's part of the first factor, sixteen columns.</param>
    /// <param name="values">
    /// Where in shared memory the lane's row of the second factor lies: the row lane mod 16, from channel 8·(lane / 16) on.
    /// </param>
    public void Add(in Pack4<uint> factor, uint values)
    {
        const uint TwoBlocks = 2 * MatrixRound.PackBytes;
        var pairs = MatrixMemory.LoadTransposed(values);
        TMatrix.MultiplyAdd(ref first, in factor, pairs.X, pairs.Y);
        TMatrix.MultiplyAdd(ref second, in factor, pairs.Z, pairs.W);
        pairs = MatrixMemory.LoadTransposed(values + TwoBlocks);
        TMatrix.MultiplyAdd(ref third, in factor, pairs.X, pairs.Y);
        TMatrix.MultiplyAdd(ref fourth, in factor, pairs.Z, pairs.W);
    }

    /// <summary>Adds a product with eight rows of the second factor.</summary>
    /// <param name="upper">The lane's pair in row r of the first factor.</param>
    /// <param name="lower">The lane's pair in row r + 8.</param>
    /// <param name="values">
    /// Where the lane's row of the second factor lies: the row lane mod 8, from channel 8·(lane / 8) on.
    /// </param>
    public void AddHalf(uint upper, uint lower, uint values)
    {
        var pairs = MatrixMemory.LoadTransposed(values);
        TMatrix.MultiplyAddHalf(ref first, upper, lower, pairs.X);
        TMatrix.MultiplyAddHalf(ref second, upper, lower, pairs.Y);
        TMatrix.MultiplyAddHalf(ref third, upper, lower, pairs.Z);
        TMatrix.MultiplyAddHalf(ref fourth, upper, lower, pairs.W);
    }

    /// <summary>Adds other sums.</summary>
    public void Join(in MatrixProduct<TMatrix> others)
    {
        Pack4.Add(ref first, 1f, in others.first);
        Pack4.Add(ref second, 1f, in others.second);
        Pack4.Add(ref third, 1f, in others.third);
        Pack4.Add(ref fourth, 1f, in others.fourth);
    }

    /// <summary>
    /// Whether all sums are finite. A value that is not spoils those of all rows: 0 · ∞ is no number. Where one is not,
    /// the caller computes the lane's sums one by one and sets them.
    /// </summary>
    public readonly bool AreFinite()
    {
        // Only what is not finite has a product with 0 that is not 0; the optimisers do not know the factor.
        CudaAsm.Emit("mov.f32 %0, 0f00000000;", out float zero);
        return Probe(in first, zero) + Probe(in second, zero) + Probe(in third, zero) + Probe(in fourth, zero) == 0;
    }

    /// <summary>Sets one of the lane's sums.</summary>
    public void Set(int sum, float value)
    {
        Set(ref first, sum, value);
        Set(ref second, sum - 4, value);
        Set(ref third, sum - 8, value);
        Set(ref fourth, sum - 12, value);
    }

    /// <summary>Adds what a map holds; parameters as those of <see cref="Write"/>.</summary>
    public void AddKnown<TStorage, TAccess>(
        in TileMap<TStorage> map, int upper, int lower, int channel, int remaining)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        AddKnown<TStorage, TAccess>(ref first, in map, upper, lower, channel, remaining, 0);
        AddKnown<TStorage, TAccess>(ref second, in map, upper, lower, channel, remaining, 4);
        AddKnown<TStorage, TAccess>(ref third, in map, upper, lower, channel, remaining, 8);
        AddKnown<TStorage, TAccess>(ref fourth, in map, upper, lower, channel, remaining, 12);
    }

    /// <summary>Writes the sums, rounded to the format. All lanes of the warp call together.</summary>
    /// <param name="rows">Where the rows belong.</param>
    /// <param name="channel">The first of the channels.</param>
    /// <param name="remaining">The channels that the map has from it on.</param>
    /// <param name="byPairs">
    /// Whether the rows 2i and 2i + 1 are a pair of columns of the map, one aligned access, or both outside; a constant.
    /// </param>
    public readonly void Write<TStorage, TAccess>(
        in MatrixRows<TStorage, TAccess> rows, int channel, int remaining, bool byPairs)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        if (TAccess.ChannelsFastest)
        {
            int own = Channel<TAccess>(0);
            bool isChannel = own < remaining;
            WriteRow(
                in rows.Map,
                isChannel ? rows.Upper : TileMap<TStorage>.Outside,
                channel + own,
                new Pack4<uint>
                {
                    X = TMatrix.Pair(first.X, first.Y),
                    Y = TMatrix.Pair(second.X, second.Y),
                    Z = TMatrix.Pair(third.X, third.Y),
                    W = TMatrix.Pair(fourth.X, fourth.Y),
                });
            WriteRow(
                in rows.Map,
                isChannel ? rows.Lower : TileMap<TStorage>.Outside,
                channel + own,
                new Pack4<uint>
                {
                    X = TMatrix.Pair(first.Z, first.W),
                    Y = TMatrix.Pair(second.Z, second.W),
                    Z = TMatrix.Pair(third.Z, third.W),
                    W = TMatrix.Pair(fourth.Z, fourth.W),
                });
            return;
        }
        var upper = new Pack4<uint>
        {
            X = MatrixMemory.Transpose(TMatrix.Pair(first.X, first.Y)),
            Y = MatrixMemory.Transpose(TMatrix.Pair(second.X, second.Y)),
            Z = MatrixMemory.Transpose(TMatrix.Pair(third.X, third.Y)),
            W = MatrixMemory.Transpose(TMatrix.Pair(fourth.X, fourth.Y)),
        };
        var lower = new Pack4<uint>
        {
            X = MatrixMemory.Transpose(TMatrix.Pair(first.Z, first.W)),
            Y = MatrixMemory.Transpose(TMatrix.Pair(second.Z, second.W)),
            Z = MatrixMemory.Transpose(TMatrix.Pair(third.Z, third.W)),
            W = MatrixMemory.Transpose(TMatrix.Pair(fourth.Z, fourth.W)),
        };
        int toChannel = (channel + Lane / 4) * rows.Map.ChannelStride;
        if (byPairs && remaining >= Channels & rows.Upper >= 0 & rows.Lower >= 0)
        {
            // One condition for all: each would wait for what the next one needs.
            WritePairs(in rows.Map, rows.Upper + toChannel, in upper);
            WritePairs(in rows.Map, rows.Lower + toChannel, in lower);
            return;
        }
        int step = MatrixRound.Channels * rows.Map.ChannelStride;
        WriteColumns(in rows, toChannel, remaining, byPairs, upper.X, lower.X);
        WriteColumns(in rows, toChannel + step, remaining - 8, byPairs, upper.Y, lower.Y);
        WriteColumns(in rows, toChannel + 2 * step, remaining - 16, byPairs, upper.Z, lower.Z);
        WriteColumns(in rows, toChannel + 3 * step, remaining - 24, byPairs, upper.W, lower.W);
    }

    /// <summary>Writes the sums to a map of single precision.</summary>
    /// <param name="map">The map.</param>
    /// <param name="row">The first of the sixteen rows.</param>
    /// <param name="channel">The first of the channels.</param>
    /// <param name="remaining">The channels that the map has from it on, in whole eights.</param>
    public readonly void WriteWide<TReal, TAccess>(in TileMap<TReal> map, int row, int channel, int remaining)
        where TReal : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int upper = map.Positions[row + Lane / 4];
        int lower = map.Positions[row + Lane / 4 + Rows / 2];
        if (TAccess.ChannelsFastest)
        {
            int own = Channel<TAccess>(0);
            int pack = (channel + own) / 4;
            var packs = map.Data.AsAligned(16).Cast<Pack4<float>>();
            if (own < remaining & upper >= 0)
            {
                packs[upper + pack] = new Pack4<float> { X = first.X, Y = first.Y, Z = second.X, W = second.Y };
                packs[upper + pack + 1] = new Pack4<float> { X = third.X, Y = third.Y, Z = fourth.X, W = fourth.Y };
            }
            if (own < remaining & lower >= 0)
            {
                packs[lower + pack] = new Pack4<float> { X = first.Z, Y = first.W, Z = second.Z, W = second.W };
                packs[lower + pack + 1] = new Pack4<float> { X = third.Z, Y = third.W, Z = fourth.Z, W = fourth.W };
            }
            return;
        }
        WriteWideColumns(in map, upper, lower, channel + Column(0), remaining > 0, in first);
        WriteWideColumns(in map, upper, lower, channel + Column(4), remaining > 8, in second);
        WriteWideColumns(in map, upper, lower, channel + Column(8), remaining > 16, in third);
        WriteWideColumns(in map, upper, lower, channel + Column(12), remaining > 24, in fourth);
    }

    private static void WriteWideColumns<TReal>(
        in TileMap<TReal> map, int upper, int lower, int channel, bool isChannel, in Pack4<float> sums)
        where TReal : unmanaged
    {
        var values = map.Data.Cast<float>();
        int at = channel * map.ChannelStride;
        if (isChannel & upper >= 0)
        {
            values[upper + at] = sums.X;
            values[upper + at + map.ChannelStride] = sums.Y;
        }
        if (isChannel & lower >= 0)
        {
            values[lower + at] = sums.Z;
            values[lower + at + map.ChannelStride] = sums.W;
        }
    }

    private static void WritePairs<TStorage>(in TileMap<TStorage> map, int position, in Pack4<uint> pairs)
        where TStorage : unmanaged
    {
        var words = map.Data.AsAligned(4).Cast<uint>().SubView(position >> 1, 1);
        int step = MatrixRound.Channels / 2 * map.ChannelStride;
        words[0] = pairs.X;
        words[step] = pairs.Y;
        words[2 * step] = pairs.Z;
        words[3 * step] = pairs.W;
    }

    private static void WriteRow<TStorage>(
        in TileMap<TStorage> map, int position, int channel, Pack4<uint> channels)
        where TStorage : unmanaged
    {
        // A position counts packs of four channels.
        if (position >= 0)
        {
            map.Data.AsAligned(MatrixRound.PackBytes).Cast<Pack4<uint>>()[
                position / 2 + channel / MatrixRound.Channels] = channels;
        }
    }

    private static void WriteColumns<TStorage, TAccess>(
        in MatrixRows<TStorage, TAccess> rows, int toChannel, int remaining, bool byPairs, uint upper, uint lower)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        if (remaining <= 0)
            return;
        WriteColumns(in rows.Map, rows.Upper, rows.UpperRight, toChannel, byPairs, upper);
        WriteColumns(in rows.Map, rows.Lower, rows.LowerRight, toChannel, byPairs, lower);
    }

    // A lane has two neighbouring positions of a channel.
    private static void WriteColumns<TStorage>(
        in TileMap<TStorage> map, int left, int right, int toChannel, bool byPairs, uint columns)
        where TStorage : unmanaged
    {
        if (byPairs)
        {
            if (left >= 0)
                map.Data.AsAligned(4).Cast<uint>()[(left + toChannel) >> 1] = columns;
            return;
        }
        var values = map.Data.Cast<ushort>();
        if (left >= 0)
            values[left + toChannel] = (ushort)columns;
        if (right >= 0)
            values[right + toChannel] = (ushort)(columns >> 16);
    }

    private static void AddKnown<TStorage, TAccess>(
        ref Pack4<float> sums, in TileMap<TStorage> map, int upper, int lower, int channel, int remaining, int sum)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int own = Channel<TAccess>(sum);
        sums.X += Known<TStorage, TAccess>(in map, upper, channel + own, own < remaining);
        sums.Y += Known<TStorage, TAccess>(in map, upper, channel + own + 1, own < remaining);
        sums.Z += Known<TStorage, TAccess>(in map, lower, channel + own, own < remaining);
        sums.W += Known<TStorage, TAccess>(in map, lower, channel + own + 1, own < remaining);
    }

    private static float Known<TStorage, TAccess>(in TileMap<TStorage> map, int row, int channel, bool isChannel)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int position = map.Positions[row + Lane / 4];
        ushort value = 0;
        if (isChannel & position >= 0)
            value = map.Data.Cast<ushort>()[map.Offset<TAccess>(position, channel)];
        return TMatrix.Widen(value);
    }

    private static float Probe(in Pack4<float> sums, float zero)
    {
        float sum = sums.X * zero;
        sum += sums.Y * zero;
        sum += sums.Z * zero;
        sum += sums.W * zero;
        return sum;
    }

    private static void Set(ref Pack4<float> sums, int index, float value)
    {
        if (index == 0)
            sums.X = value;
        if (index == 1)
            sums.Y = value;
        if (index == 2)
            sums.Z = value;
        if (index == 3)
            sums.W = value;
    }
}

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

    /// <summary>The channel of one of the lane's sums.</summary>
    public static int Channel(int sum) => MatrixRound.Channels * (sum / 4) + 2 * (Lane & 3) + (sum & 1);

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
        AddKnown<TStorage, TAccess>(ref first, in map, upper, lower, channel, remaining);
        AddKnown<TStorage, TAccess>(ref second, in map, upper, lower, channel + 8, remaining - 8);
        AddKnown<TStorage, TAccess>(ref third, in map, upper, lower, channel + 16, remaining - 16);
        AddKnown<TStorage, TAccess>(ref fourth, in map, upper, lower, channel + 24, remaining - 24);
    }

    /// <summary>Writes the sums, rounded to the format. All lanes of the warp call together.</summary>
    /// <param name="rows">Where the rows belong.</param>
    /// <param name="channel">The first of the channels.</param>
    /// <param name="remaining">The channels that the map has from it on.</param>
    /// <param name="byPairs">Whether neighbouring rows are pairs of columns of the map, each one aligned access.</param>
    public readonly void Write<TStorage, TAccess>(
        in MatrixRows<TStorage, TAccess> rows, int channel, int remaining, bool byPairs)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        if (TAccess.ChannelsFastest)
        {
            WriteRow(
                in rows.Map,
                rows.Upper,
                channel,
                remaining,
                TMatrix.Pair(first.X, first.Y),
                TMatrix.Pair(second.X, second.Y),
                TMatrix.Pair(third.X, third.Y),
                TMatrix.Pair(fourth.X, fourth.Y));
            WriteRow(
                in rows.Map,
                rows.Lower,
                channel,
                remaining,
                TMatrix.Pair(first.Z, first.W),
                TMatrix.Pair(second.Z, second.W),
                TMatrix.Pair(third.Z, third.W),
                TMatrix.Pair(fourth.Z, fourth.W));
            return;
        }
        WriteColumns(in rows, channel, remaining, byPairs, in first);
        WriteColumns(in rows, channel + 8, remaining - 8, byPairs, in second);
        WriteColumns(in rows, channel + 16, remaining - 16, byPairs, in third);
        WriteColumns(in rows, channel + 24, remaining - 24, byPairs, in fourth);
    }

    private static void WriteRow<TStorage>(
        in TileMap<TStorage> map, int position, int channel, int remaining, uint x, uint y, uint z, uint w)
        where TStorage : unmanaged
    {
        // A position counts packs of four channels.
        var words = map.Data.AsAligned(MatrixRound.PackBytes).Cast<uint>()
            .SubView(2L * Math.Max(position, 0) + channel / 2 + (Lane & 3), 1);
        if (position >= 0 & remaining > 0)
            words[0] = x;
        if (position >= 0 & remaining > 8)
            words[4] = y;
        if (position >= 0 & remaining > 16)
            words[8] = z;
        if (position >= 0 & remaining > 24)
            words[12] = w;
    }

    private static void WriteColumns<TStorage, TAccess>(
        in MatrixRows<TStorage, TAccess> rows, int channel, int remaining, bool byPairs, in Pack4<float> sums)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        uint upper = MatrixMemory.Transpose(TMatrix.Pair(sums.X, sums.Y));
        uint lower = MatrixMemory.Transpose(TMatrix.Pair(sums.Z, sums.W));
        if (Lane / 4 >= remaining)
            return;
        int toChannel = (channel + Lane / 4) * rows.Map.ChannelStride;
        WriteColumns(in rows.Map, rows.Upper, rows.UpperRight, toChannel, byPairs, upper);
        WriteColumns(in rows.Map, rows.Lower, rows.LowerRight, toChannel, byPairs, lower);
    }

    // A lane has two neighbouring positions of a channel.
    private static void WriteColumns<TStorage>(
        in TileMap<TStorage> map, int left, int right, int toChannel, bool byPairs, uint columns)
        where TStorage : unmanaged
    {
        if (byPairs & left >= 0 & right >= 0)
        {
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
        ref Pack4<float> sums, in TileMap<TStorage> map, int upper, int lower, int channel, int remaining)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int inBlock = 2 * (Lane & 3);
        sums.X += Known<TStorage, TAccess>(in map, upper, channel + inBlock, remaining > inBlock);
        sums.Y += Known<TStorage, TAccess>(in map, upper, channel + inBlock + 1, remaining > inBlock + 1);
        sums.Z += Known<TStorage, TAccess>(in map, lower, channel + inBlock, remaining > inBlock);
        sums.W += Known<TStorage, TAccess>(in map, lower, channel + inBlock + 1, remaining > inBlock + 1);
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

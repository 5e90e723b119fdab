using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Scores and sums by multiply-adds of threads: a warp for each row of the window, four lanes for each cell pair.
/// </summary>
/// <typeparam name="TElement">The element type.</typeparam>
/// <typeparam name="TStorage">Its type in memory.</typeparam>
/// <typeparam name="TReal">Its type in calculations.</typeparam>
/// <typeparam name="TWindow">The window, fixed.</typeparam>
/// <typeparam name="TShape">The access that the shape of the tile is made for.</typeparam>
/// <typeparam name="TMemory">How the shared memory is divided.</typeparam>
internal static class LaneProductSteps<TElement, TStorage, TReal, TWindow, TShape, TMemory>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWindow : struct, IWindow
    where TShape : struct, IChannelAccess
    where TMemory : struct, ICellPairMemory
{
    // Pitches in packs. The two pairs and four lanes that read together then meet eight different groups of banks.
    private static int DotCellPitch => TMemory.DotPacks<TWindow>() + 2;

    private static int DotQueryPitch => TMemory.DotPacks<TWindow>() + 1;

    private static int ExtraPairPitch => 4;

    private static int SumCellPitch => TMemory.SumPacks<TWindow>() + 2;

    private static int StagedKeys => CellPair.HaloCells<TWindow, TShape>() * DotCellPitch;

    private static int StagedQueries =>
        CellPair.Queries * DotQueryPitch + CellPair.Queries / 8 * ExtraPairPitch;

    private static int StagedValues => CellPair.HaloCells<TWindow, TShape>() * SumCellPitch;

    private static int GroupSize => CellPair.GroupSize<TWindow>();

    /// <summary>Gets the packs of shared memory that the steps stage operands in.</summary>
    public static int StageLength =>
        Math.Max(Math.Max(StagedKeys + StagedQueries, StagedValues), CellPair.ArrayLength<TWindow>());

    /// <summary>
    /// scores = ⟨query, key⟩. A warp takes a row of the windows, a lane of a pair every fourth pack of channels. Begins
    /// and ends without a barrier.
    /// </summary>
    public static void Dots<TAccess>(
        in TileMap<TStorage> query,
        in TileMap<TStorage> key,
        int channels,
        ArrayView<Pack4<TReal>> stage,
        ArrayView<Pack4<TReal>> scores)
        where TAccess : struct, IChannelAccess
    {
        int pair = CellPair.OfThread;
        int lane = CellPair.Lane;
        int warp = CellPair.Warp;
        int firstCell =
            (CellPair.Row<TShape>(pair) + warp) * CellPair.HaloWidth<TWindow, TShape>() + CellPair.Column<TShape>(pair);
        var stagedQueries = stage.SubView(StagedKeys, StagedQueries);
        var keys = stage.SubView(firstCell * DotCellPitch + lane, 1);
        var queries = stagedQueries.SubView(pair * (8 * DotQueryPitch + ExtraPairPitch) + lane, 1);
        var sums = default(CellPairScores<TReal, TWindow>);
        for (int first = 0; first < channels; first += 4 * TMemory.DotPacks<TWindow>())
        {
            Group.Barrier();
            StageDots<TAccess>(in query, in key, first, channels, stage, stagedQueries);
            Group.Barrier();

            // Written out: a loop of few rounds would copy all sums before and after.
            Step(ref sums, queries, keys, 0);
            if (TMemory.DotPacks<TWindow>() > CellPair.Lanes)
                Step(ref sums, queries, keys, CellPair.Lanes);
            if (TMemory.DotPacks<TWindow>() > 2 * CellPair.Lanes)
            {
                Step(ref sums, queries, keys, 2 * CellPair.Lanes);
                Step(ref sums, queries, keys, 3 * CellPair.Lanes);
            }
        }
        AddLanes(ref sums, pair * CellPair.ArrayPitch<TWindow>() + warp * 2 * TWindow.Size(0), stage, scores);
    }

    // Where keys and queries are one round each, all reads come before the first write.
    private static void StageDots<TAccess>(
        in TileMap<TStorage> query,
        in TileMap<TStorage> key,
        int first,
        int channels,
        ArrayView<Pack4<TReal>> stagedKeys,
        ArrayView<Pack4<TReal>> stagedQueries)
        where TAccess : struct, IChannelAccess
    {
        int cells = CellPair.HaloCells<TWindow, TShape>();
        int packs = TMemory.DotPacks<TWindow>();
        if (TileMap<TStorage>.IsOneRound<TAccess>(GroupSize, cells, packs)
            & TileMap<TStorage>.IsOneRound<TAccess>(GroupSize, CellPair.Queries, packs))
        {
            var keys = key.ReadRound<TElement, TReal, TAccess>(GroupSize, cells, first, channels, packs, DotCellPitch, 0);
            var queries = query.ReadRound<TElement, TReal, TAccess>(
                GroupSize, CellPair.Queries, first, channels, packs, DotQueryPitch, ExtraPairPitch);
            keys.Write(stagedKeys, 0);
            queries.Write(stagedQueries, 0);
            return;
        }
        key.Stage<TElement, TReal, TAccess>(
            GroupSize, cells, first, channels, packs, DotCellPitch, 0, stagedKeys);
        query.Stage<TElement, TReal, TAccess>(
            GroupSize, CellPair.Queries, first, channels, packs, DotQueryPitch, ExtraPairPitch, stagedQueries);
    }

    /// <summary>
    /// output = Σ weights · source. A lane takes two packs of channels of a pair: 2·(K + 1) reads of the source and 2·K
    /// of the weights for 64·K multiply-adds. Begins and ends without a barrier.
    /// </summary>
    /// <param name="source">What is summed.</param>
    /// <param name="output">Where the sums go.</param>
    /// <param name="channels">The channels of both.</param>
    /// <param name="byRows">Whether four columns of the output are one aligned access.</param>
    /// <param name="stage">The memory to stage in.</param>
    /// <param name="weights">The weights.</param>
    public static void Sums<TScale, TAccess>(
        in TileMap<TStorage> source,
        in TileMap<TStorage> output,
        int channels,
        int byRows,
        ArrayView<Pack4<TReal>> stage,
        ArrayView<Pack4<TReal>> weights)
        where TScale : struct, IScale
        where TAccess : struct, IChannelAccess
    {
        int pair = CellPair.OfThread;
        int firstCell =
            CellPair.Row<TShape>(pair) * CellPair.HaloWidth<TWindow, TShape>() + CellPair.Column<TShape>(pair);
        for (int first = 0; first < channels; first += 4 * TMemory.SumPacks<TWindow>())
        {
            Group.Barrier();
            source.Stage<TElement, TReal, TAccess>(
                GroupSize,
                CellPair.HaloCells<TWindow, TShape>(),
                first,
                channels,
                TMemory.SumPacks<TWindow>(),
                SumCellPitch,
                0,
                stage);
            Group.Barrier();
            int remaining = channels - first;
            for (int pack = CellPair.Warp * 8 + CellPair.Lane;
                 pack < TMemory.SumPacks<TWindow>() & (pack & ~(CellPair.Lanes - 1)) * 4 < remaining;
                 pack += 8 * TWindow.Size(0))
            {
                var low = default(CellPairSums<TReal, TWindow>);
                var high = default(CellPairSums<TReal, TWindow>);
                int at = firstCell * SumCellPitch + pack;
                int weight = pair * CellPair.ArrayPitch<TWindow>();
                for (int row = 0; row < TWindow.Size(0); row++)
                {
                    CellPairSums<TReal, TWindow>.AddRow(
                        ref low, ref high, stage.SubView(at, 1), SumCellPitch, weights.SubView(weight, 1));
                    at += CellPair.HaloWidth<TWindow, TShape>() * SumCellPitch;
                    weight += 2 * TWindow.Size(0);
                }
                Write<TScale, TAccess>(in output, first, remaining, pair, pack, byRows, in low, in high);
            }
        }
    }

    private static void Step(
        ref CellPairScores<TReal, TWindow> sums,
        ArrayView<Pack4<TReal>> queries,
        ArrayView<Pack4<TReal>> keys,
        int pack) => sums.Add(queries.SubView(pack, 1), DotQueryPitch, keys.SubView(pack, 1), DotCellPitch);

    // The sums of the four lanes of a pair meet in the scores' own memory and in what is staged no more.
    private static void AddLanes(
        ref CellPairScores<TReal, TWindow> sums,
        int at,
        ArrayView<Pack4<TReal>> stage,
        ArrayView<Pack4<TReal>> scores)
    {
        int length = 2 * TWindow.Size(0);
        int lane = CellPair.Lane;
        var own = scores.SubView(at, length);
        var other = stage.SubView(at, length);
        Group.Barrier();
        if (lane == 2)
            sums.Store(own);
        if (lane == 3)
            sums.Store(other);
        Group.Barrier();
        if (lane == 0)
            sums.Add(own);
        if (lane == 1)
            sums.Add(other);
        Group.Barrier();
        if (lane == 1)
            sums.Store(other);
        Group.Barrier();
        if (lane == 0)
        {
            sums.Add(other);
            sums.Store(own);
        }
    }

    private static void Write<TScale, TAccess>(
        in TileMap<TStorage> output,
        int first,
        int remaining,
        int pair,
        int pack,
        int byRows,
        in CellPairSums<TReal, TWindow> low,
        in CellPairSums<TReal, TWindow> high)
        where TScale : struct, IScale
        where TAccess : struct, IChannelAccess
    {
        int left = remaining - 4 * pack;
        if (left <= 0)
            return;
        int toPack = output.ToChannel<TAccess>(first + 4 * pack);
        var positions = output.Positions.AsAligned(16).Cast<Pack4<int>>().SubView(2 * pair, 2);
        var a = positions[0];
        if (!TAccess.ChannelsFastest && TScale.IsTwo)
        {
            // The queries of a pair are two rows of four columns.
            if (byRows != 0 & a.X >= 0 & positions[1].X >= 0 & left > 3)
            {
                WriteRows(in output, a.X + toPack, a.Z + toPack, in low);
                int toHigh = output.ToChannel<TAccess>(4 * CellPair.Lanes);
                if (left > 4 * CellPair.Lanes + 3)
                {
                    WriteRows(in output, a.X + toPack + toHigh, a.Z + toPack + toHigh, in high);
                    return;
                }
                if (left <= 4 * CellPair.Lanes)
                    return;
            }
        }
        Write<TAccess>(in output, toPack, a.X, left, in low.A0, in high.A0);
        Write<TAccess>(in output, toPack, a.Y, left, in low.A1, in high.A1);
        Write<TAccess>(in output, toPack, a.Z, left, in low.A2, in high.A2);
        Write<TAccess>(in output, toPack, a.W, left, in low.A3, in high.A3);
        var b = positions[1];
        Write<TAccess>(in output, toPack, b.X, left, in low.B0, in high.B0);
        Write<TAccess>(in output, toPack, b.Y, left, in low.B1, in high.B1);
        Write<TAccess>(in output, toPack, b.Z, left, in low.B2, in high.B2);
        Write<TAccess>(in output, toPack, b.W, left, in low.B3, in high.B3);
    }

    private static void Write<TAccess>(
        in TileMap<TStorage> output,
        int toPack,
        int position,
        int left,
        in Pack4<TReal> low,
        in Pack4<TReal> high)
        where TAccess : struct, IChannelAccess
    {
        if (position < 0)
            return;
        TAccess.StoreNear<TElement, TStorage, TReal>(
            output.Data, position + toPack, 0, output.ChannelStride, left, in low);
        if (left > 4 * CellPair.Lanes)
        {
            TAccess.StoreNear<TElement, TStorage, TReal>(
                output.Data,
                position + toPack,
                CellPair.Lanes,
                output.ChannelStride,
                left - 4 * CellPair.Lanes,
                in high);
        }
    }

    private static void WriteRows(
        in TileMap<TStorage> output, int upper, int lower, in CellPairSums<TReal, TWindow> sums)
    {
        int stride = output.ChannelStride;
        WriteRow(in output, upper, sums.A0.X, sums.A1.X, sums.B0.X, sums.B1.X);
        WriteRow(in output, upper + stride, sums.A0.Y, sums.A1.Y, sums.B0.Y, sums.B1.Y);
        WriteRow(in output, upper + 2 * stride, sums.A0.Z, sums.A1.Z, sums.B0.Z, sums.B1.Z);
        WriteRow(in output, upper + 3 * stride, sums.A0.W, sums.A1.W, sums.B0.W, sums.B1.W);
        WriteRow(in output, lower, sums.A2.X, sums.A3.X, sums.B2.X, sums.B3.X);
        WriteRow(in output, lower + stride, sums.A2.Y, sums.A3.Y, sums.B2.Y, sums.B3.Y);
        WriteRow(in output, lower + 2 * stride, sums.A2.Z, sums.A3.Z, sums.B2.Z, sums.B3.Z);
        WriteRow(in output, lower + 3 * stride, sums.A2.W, sums.A3.W, sums.B2.W, sums.B3.W);
    }

    private static void WriteRow(in TileMap<TStorage> output, int position, TReal x, TReal y, TReal z, TReal w)
    {
        var columns = output.Data.AsAligned(4 * Interop.SizeOf<TStorage>()).Cast<Pack4<TStorage>>();
        columns[position >> 2] = new Pack4<TStorage>
        {
            X = TElement.Store(x),
            Y = TElement.Store(y),
            Z = TElement.Store(z),
            W = TElement.Store(w),
        };
    }
}

using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Products of tiles of queries by multiply-adds of threads. For scores a thread has every sixteenth query and every eighth cell;
/// for sums four neighbouring queries and twice four channels.
/// </summary>
internal readonly struct CrossLaneProducts<TReal> : ICrossProducts<TReal, CrossLaneState<TReal>>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    // Threads that share queries, and what there is of those that do not.
    private const int Lanes = 8;
    private const int QueryGroups = CrossTile.GroupSize / Lanes;

    // Sixteen channels of queries and cells at a time; pitches in packs are odd, so that rows that are read together meet
    // different groups of banks.
    private const int DotPacks = 4;
    private const int DotPitch = DotPacks + 1;
    private const int ToQueries = CrossTile.Cells * DotPitch;

    // The channels of 32 cells at a time.
    private const int SumPacks = CrossTile.Channels / 4;

    // Weights by cell; the pitch again for the banks.
    private const int WeightPitch = CrossTile.Queries / 4 + 1;
    private const int ReducePitch = CrossTile.Queries + 4;

    public static int StageLength =>
        Math.Max((CrossTile.Cells + CrossTile.Queries) * DotPitch, CrossTile.CellBlock * SumPacks);

    public static int WeightLength => CrossTile.Cells * WeightPitch;

    public static bool ReadsPairs => false;

    public static bool IsFirstOfQuery => Lane == 0;

    private static int Lane => Group.IdxX & (Lanes - 1);

    private static int QueryGroup => Group.IdxX / Lanes;

    public static Pack4<int> QueriesOfBlock() => new()
    {
        X = QueryGroup,
        Y = QueryGroup + QueryGroups,
        Z = QueryGroup + 2 * QueryGroups,
        W = QueryGroup + 3 * QueryGroups,
    };

    public static Pack4<int> CellsOfBlock(int block)
    {
        int cell = Lanes * block + Lane;
        return new Pack4<int> { X = cell, Y = cell, Z = cell, W = cell };
    }

    public static float Exp(float value) => SingleMath.Exp(value);

    // What is staged is not needed any more.
    public static Pack4<float> Largest(Pack4<float> own, in CrossTileShared<TReal> shared)
    {
        var stage = shared.Stage.Cast<float>();
        Exchange(in own, stage);
        var queries = QueriesOfBlock();
        return new Pack4<float>
        {
            X = LargestOf(stage, queries.X),
            Y = LargestOf(stage, queries.Y),
            Z = LargestOf(stage, queries.Z),
            W = LargestOf(stage, queries.W),
        };
    }

    public static Pack4<float> Total(Pack4<float> own, in CrossTileShared<TReal> shared)
    {
        var stage = shared.Stage.Cast<float>();
        Exchange(in own, stage);
        var queries = QueriesOfBlock();
        return new Pack4<float>
        {
            X = TotalOf(stage, queries.X),
            Y = TotalOf(stage, queries.Y),
            Z = TotalOf(stage, queries.Z),
            W = TotalOf(stage, queries.W),
        };
    }

    public static void Dots<TElement, TStorage, TAccess>(
        in TileMap<TStorage> queries,
        in TileMap<TStorage> cells,
        int count,
        int first,
        int end,
        in CrossTileShared<TReal> shared,
        ref CrossScores scores)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        var ownCells = shared.Stage.Cast<Pack4<float>>().SubView(Lane * DotPitch, 1);
        var ownQueries = shared.Stage.Cast<Pack4<float>>().SubView(ToQueries + QueryGroup * DotPitch, 1);
        for (int channel = first; channel < end; channel += 4 * DotPacks)
        {
            Group.Barrier();
            cells.Stage<TElement, TReal, TAccess>(
                CrossTile.GroupSize, count, channel, end, DotPacks, DotPitch, 0, shared.Stage);
            queries.Stage<TElement, TReal, TAccess>(
                CrossTile.GroupSize, CrossTile.Queries, channel, end, DotPacks, DotPitch, 0, shared.Stage.SubView(ToQueries));
            Group.Barrier();

            // Written out: a loop of few rounds would copy all scores before and after.
            Dots(ref scores, count, ownQueries, ownCells, 0);
            Dots(ref scores, count, ownQueries, ownCells, 1);
            Dots(ref scores, count, ownQueries, ownCells, 2);
            Dots(ref scores, count, ownQueries, ownCells, 3);
        }
    }

    public static void Keep(ref CrossLaneState<TReal> state, in CrossScores weights, in CrossTileShared<TReal> shared)
    {
        var target = shared.Weights.Cast<float>().SubView(Lane * 4 * WeightPitch + QueryGroup, 1);
        Keep(target.SubView(0 * Lanes * 4 * WeightPitch, 1), in weights.Block0);
        Keep(target.SubView(1 * Lanes * 4 * WeightPitch, 1), in weights.Block1);
        Keep(target.SubView(2 * Lanes * 4 * WeightPitch, 1), in weights.Block2);
        Keep(target.SubView(3 * Lanes * 4 * WeightPitch, 1), in weights.Block3);
        Keep(target.SubView(4 * Lanes * 4 * WeightPitch, 1), in weights.Block4);
        Keep(target.SubView(5 * Lanes * 4 * WeightPitch, 1), in weights.Block5);
        Keep(target.SubView(6 * Lanes * 4 * WeightPitch, 1), in weights.Block6);
        Keep(target.SubView(7 * Lanes * 4 * WeightPitch, 1), in weights.Block7);
        Keep(target.SubView(8 * Lanes * 4 * WeightPitch, 1), in weights.Block8);
        Keep(target.SubView(9 * Lanes * 4 * WeightPitch, 1), in weights.Block9);
        Keep(target.SubView(10 * Lanes * 4 * WeightPitch, 1), in weights.Block10);
        Keep(target.SubView(11 * Lanes * 4 * WeightPitch, 1), in weights.Block11);
    }

    public static void Add<TElement, TStorage, TAccess>(
        ref CrossLaneState<TReal> state,
        bool isFirst,
        in TileMap<TStorage> cells,
        int count,
        int first,
        int end,
        in CrossTileShared<TReal> shared)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        var weights = shared.Weights.SubView(QueryGroupOfSums<TAccess>(), 1);
        var staged = shared.Stage.SubView(LaneOfSums<TAccess>(), 1);
        bool hasHigh = end - first > 4 * Lanes;
        var sums = default(CrossLaneState<TReal>);
        for (int cell = 0; cell < count; cell += CrossTile.CellBlock)
        {
            Group.Barrier();
            var own = cells;
            own.Positions = cells.Positions.SubView(cell);
            own.Stage<TElement, TReal, TAccess>(
                CrossTile.GroupSize, CrossTile.CellBlock, first, end, SumPacks, SumPacks, 0, shared.Stage);
            Group.Barrier();
            var ownWeights = weights.SubView(cell * WeightPitch, 1);
            if (hasHigh)
                AddBlock(ref sums, ownWeights, staged);
            else
                AddLowBlock(ref sums, ownWeights, staged);
        }
        if (!sums.AreFinite(shared.Numbers[CrossTileShared<TReal>.Zero]))
            sums = Exactly<TElement, TStorage, TAccess>(in cells, count, first, end, weights);
        if (isFirst)
            state = sums;
        else
            state.Add(in sums);
    }

    public static void Write<TElement, TStorage, TAccess>(
        in CrossLaneState<TReal> state, in TileMap<TStorage> outputs, int first, int end)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int query = 4 * QueryGroupOfSums<TAccess>();
        int channel = first + 4 * LaneOfSums<TAccess>();
        var target = outputs;
        target.Positions = outputs.Positions.SubView(query, 4);
        state.Write<TElement, TStorage, TAccess>(in target, channel, 4 * Lanes, end);
    }

    public static void WriteWide<TElement, TAccess>(
        in CrossLaneState<TReal> state, in TileMap<TReal> outputs, int first, int end)
        where TElement : struct, IElement<TReal, TReal>
        where TAccess : struct, IChannelAccess =>
        Write<TElement, TReal, TAccess>(in state, in outputs, first, end);

    // Where columns lie side by side, neighbouring threads take neighbouring queries.
    private static int QueryGroupOfSums<TAccess>()
        where TAccess : struct, IChannelAccess => TAccess.ChannelsFastest ? QueryGroup : Group.IdxX & (QueryGroups - 1);

    private static int LaneOfSums<TAccess>()
        where TAccess : struct, IChannelAccess => TAccess.ChannelsFastest ? Lane : Group.IdxX / QueryGroups;

    // The largest, or the sums, of a thread for others to see. The barrier before is for what was there.
    private static void Exchange(in Pack4<float> own, ArrayView<float> stage)
    {
        Group.Barrier();
        var target = stage.SubView(Lane * ReducePitch + QueryGroup, 1);
        target[0] = own.X;
        target[QueryGroups] = own.Y;
        target[2 * QueryGroups] = own.Z;
        target[3 * QueryGroups] = own.W;
        Group.Barrier();
    }

    private static float LargestOf(ArrayView<float> stage, int query)
    {
        var own = stage.SubView(query, 1);
        float largest = own[0];
        largest = CrossScores.Larger(largest, own[ReducePitch]);
        largest = CrossScores.Larger(largest, own[2 * ReducePitch]);
        largest = CrossScores.Larger(largest, own[3 * ReducePitch]);
        largest = CrossScores.Larger(largest, own[4 * ReducePitch]);
        largest = CrossScores.Larger(largest, own[5 * ReducePitch]);
        largest = CrossScores.Larger(largest, own[6 * ReducePitch]);
        return CrossScores.Larger(largest, own[7 * ReducePitch]);
    }

    private static float TotalOf(ArrayView<float> stage, int query)
    {
        var own = stage.SubView(query, 1);
        return own[0] + own[ReducePitch] + own[2 * ReducePitch] + own[3 * ReducePitch]
            + own[4 * ReducePitch] + own[5 * ReducePitch] + own[6 * ReducePitch] + own[7 * ReducePitch];
    }

    private static void Dots(
        ref CrossScores scores, int count, ArrayView<Pack4<float>> queries, ArrayView<Pack4<float>> cells, int pack)
    {
        var x = queries[pack];
        var y = queries[QueryGroups * DotPitch + pack];
        var z = queries[2 * QueryGroups * DotPitch + pack];
        var w = queries[3 * QueryGroups * DotPitch + pack];
        Dot(ref scores.Block0, in x, in y, in z, in w, cells[0 * Lanes * DotPitch + pack]);
        Dot(ref scores.Block1, in x, in y, in z, in w, cells[1 * Lanes * DotPitch + pack]);
        Dot(ref scores.Block2, in x, in y, in z, in w, cells[2 * Lanes * DotPitch + pack]);
        Dot(ref scores.Block3, in x, in y, in z, in w, cells[3 * Lanes * DotPitch + pack]);
        if (count > 1 * CrossTile.CellBlock)
        {
            Dot(ref scores.Block4, in x, in y, in z, in w, cells[4 * Lanes * DotPitch + pack]);
            Dot(ref scores.Block5, in x, in y, in z, in w, cells[5 * Lanes * DotPitch + pack]);
            Dot(ref scores.Block6, in x, in y, in z, in w, cells[6 * Lanes * DotPitch + pack]);
            Dot(ref scores.Block7, in x, in y, in z, in w, cells[7 * Lanes * DotPitch + pack]);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            Dot(ref scores.Block8, in x, in y, in z, in w, cells[8 * Lanes * DotPitch + pack]);
            Dot(ref scores.Block9, in x, in y, in z, in w, cells[9 * Lanes * DotPitch + pack]);
            Dot(ref scores.Block10, in x, in y, in z, in w, cells[10 * Lanes * DotPitch + pack]);
            Dot(ref scores.Block11, in x, in y, in z, in w, cells[11 * Lanes * DotPitch + pack]);
        }
    }

    private static void Dot(
        ref Pack4<float> scores,
        in Pack4<float> x,
        in Pack4<float> y,
        in Pack4<float> z,
        in Pack4<float> w,
        Pack4<float> cell)
    {
        scores.X = Pack4.AddDot(in x, in cell, scores.X);
        scores.Y = Pack4.AddDot(in y, in cell, scores.Y);
        scores.Z = Pack4.AddDot(in z, in cell, scores.Z);
        scores.W = Pack4.AddDot(in w, in cell, scores.W);
    }

    private static void Keep(ArrayView<float> target, in Pack4<float> weights)
    {
        target[0] = weights.X;
        target[QueryGroups] = weights.Y;
        target[2 * QueryGroups] = weights.Z;
        target[3 * QueryGroups] = weights.W;
    }

    private static void AddBlock(
        ref CrossLaneState<TReal> sums, ArrayView<Pack4<TReal>> weights, ArrayView<Pack4<TReal>> cells)
    {
        for (int i = 0; i < CrossTile.CellBlock; i += 4)
        {
            var ownWeights = weights.SubView(i * WeightPitch, 1);
            var own = cells.SubView(i * SumPacks, 1);
            sums.Add(ownWeights[0], own[0], own[Lanes]);
            sums.Add(ownWeights[WeightPitch], own[SumPacks], own[SumPacks + Lanes]);
            sums.Add(ownWeights[2 * WeightPitch], own[2 * SumPacks], own[2 * SumPacks + Lanes]);
            sums.Add(ownWeights[3 * WeightPitch], own[3 * SumPacks], own[3 * SumPacks + Lanes]);
        }
    }

    // Half of the channels, where there are no more.
    private static void AddLowBlock(
        ref CrossLaneState<TReal> sums, ArrayView<Pack4<TReal>> weights, ArrayView<Pack4<TReal>> cells)
    {
        for (int i = 0; i < CrossTile.CellBlock; i += 4)
        {
            var ownWeights = weights.SubView(i * WeightPitch, 1);
            var own = cells.SubView(i * SumPacks, 1);
            sums.AddLow(ownWeights[0], own[0]);
            sums.AddLow(ownWeights[WeightPitch], own[SumPacks]);
            sums.AddLow(ownWeights[2 * WeightPitch], own[2 * SumPacks]);
            sums.AddLow(ownWeights[3 * WeightPitch], own[3 * SumPacks]);
        }
    }

    // What a query does not see, or gives no weight, may hold anything.
    private static CrossLaneState<TReal> Exactly<TElement, TStorage, TAccess>(
        in TileMap<TStorage> cells, int count, int first, int end, ArrayView<Pack4<TReal>> weights)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        var sums = default(CrossLaneState<TReal>);
        int channel = first + 4 * LaneOfSums<TAccess>();
        for (int cell = 0; cell < count; cell++)
        {
            int position = cells.Positions[cell];
            if (position < 0)
                continue;
            var low = default(Pack4<TReal>);
            var high = default(Pack4<TReal>);
            if (channel < end)
            {
                low = TAccess.LoadNear<TElement, TStorage, TReal>(
                    cells.Data, position + cells.ToChannel<TAccess>(channel), 0, cells.ChannelStride, end - channel);
            }
            if (channel + 4 * Lanes < end)
            {
                high = TAccess.LoadNear<TElement, TStorage, TReal>(
                    cells.Data,
                    position + cells.ToChannel<TAccess>(channel + 4 * Lanes),
                    0,
                    cells.ChannelStride,
                    end - channel - 4 * Lanes);
            }
            sums.AddSeen(weights[cell * WeightPitch], in low, in high);
        }
        return sums;
    }
}

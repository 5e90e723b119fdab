using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Products of tiles of queries by the matrix units of CUDA devices: a warp has sixteen queries and all cells of a piece. Four
/// lanes share two queries, and hold the weights where the next product takes them.
/// </summary>
/// <remarks>
/// A lane has of each eight cells, with r = lane / 4 and c = 2·(lane mod 4), those with the numbers c and c + 1: X and Y of query r,
/// Z and W of query r + 8.
/// </remarks>
internal readonly struct CrossMatrixProducts<TMatrix, TReal> : ICrossProducts<TReal, CrossMatrixState<TMatrix>>
    where TMatrix : struct, IMatrixFormat
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private const int Rows = 16;

    // Of what is staged, 64 channels; the pitch in packs is odd, so that eight rows that are read together meet different
    // groups of banks.
    private const int Packs = CrossTile.Channels / MatrixRound.Channels;
    private const int Pitch = Packs + 1;
    private const int ToQueries = CrossTile.Cells * Pitch;
    private const uint StepBytes = 2 * MatrixRound.PackBytes;
    private const uint TwoBlockBytes = Rows * Pitch * MatrixRound.PackBytes;

    public static int StageLength => (CrossTile.Cells + CrossTile.Queries) * Pitch;

    public static int WeightLength => CrossMatrixState<TMatrix>.WeightLength;

    public static bool ReadsPairs => true;

    public static bool IsFirstOfQuery => (Group.IdxX & 3) == 0;

    private static int Lane => Group.IdxX & (CellPair.WarpSize - 1);

    private static int FirstQuery => Group.IdxX / CellPair.WarpSize * Rows;

    public static Pack4<int> QueriesOfBlock()
    {
        int query = FirstQuery + Lane / 4;
        return new Pack4<int> { X = query, Y = query, Z = query + Rows / 2, W = query + Rows / 2 };
    }

    public static Pack4<int> CellsOfBlock(int block)
    {
        int cell = MatrixRound.Channels * block + 2 * (Group.IdxX & 3);
        return new Pack4<int> { X = cell, Y = cell + 1, Z = cell, W = cell + 1 };
    }

    public static float Exp(float value) => NarrowMath.Exp(value);

    public static Pack4<float> Largest(Pack4<float> own, in CrossTileShared<TReal> shared)
    {
        float first = MatrixLanes.LargestOfFour(CrossScores.Larger(own.X, own.Y));
        float second = MatrixLanes.LargestOfFour(CrossScores.Larger(own.Z, own.W));
        return new Pack4<float> { X = first, Y = first, Z = second, W = second };
    }

    public static Pack4<float> Total(Pack4<float> own, in CrossTileShared<TReal> shared)
    {
        float first = MatrixLanes.SumOfFour(own.X + own.Y);
        float second = MatrixLanes.SumOfFour(own.Z + own.W);
        return new Pack4<float> { X = first, Y = first, Z = second, W = second };
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
        uint memory = MatrixMemory.FirstAllocation();
        uint ownQueries = memory + (uint)(
            (ToQueries + (FirstQuery + (Lane & (Rows - 1))) * Pitch + Lane / Rows) * MatrixRound.PackBytes);

        // Two blocks of eight cells, of each two of eight channels.
        uint ownCells = memory + (uint)(
            ((Lane / 16 * 8 + (Lane & 7)) * Pitch + (Lane / 8 & 1)) * MatrixRound.PackBytes);
        var stage = shared.Stage.Cast<Pack4<uint>>();
        for (int channel = first; channel < end; channel += MatrixRound.Channels * Packs)
        {
            Group.Barrier();
            MatrixRound.Stage<TStorage, TAccess>(
                in cells, Staged<TAccess>(count), channel, end, Packs, Pitch, stage, forSums: false);
            MatrixRound.Stage<TStorage, TAccess>(
                in queries, CrossTile.Queries, channel, end, Packs, Pitch, stage.SubView(ToQueries), forSums: false);
            Group.Barrier();
            Add(ref scores, count, ownQueries, ownCells);
            if (end - channel > 16)
                Add(ref scores, count, ownQueries + StepBytes, ownCells + StepBytes);
            if (end - channel > 32)
            {
                Add(ref scores, count, ownQueries + 2 * StepBytes, ownCells + 2 * StepBytes);
                Add(ref scores, count, ownQueries + 3 * StepBytes, ownCells + 3 * StepBytes);
            }
        }
    }

    public static void Keep(
        ref CrossMatrixState<TMatrix> state, in CrossScores weights, in CrossTileShared<TReal> shared) =>
        state.Round(in weights);

    public static void Add<TElement, TStorage, TAccess>(
        ref CrossMatrixState<TMatrix> state,
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
        var stage = shared.Stage.Cast<Pack4<uint>>();
        uint values = MatrixMemory.FirstAllocation() + (uint)(
            ((Lane & (Rows - 1)) * Pitch + Lane / Rows) * MatrixRound.PackBytes);
        Group.Barrier();
        MatrixRound.Stage<TStorage, TAccess>(
            in cells, Staged<TAccess>(count), first, end, Packs, Pitch, stage, forSums: true);
        Group.Barrier();
        state.Add(
            isFirst,
            count,
            end - first > MatrixProduct<TMatrix>.Channels,
            values,
            TwoBlockBytes,
            Pitch,
            stage,
            shared.Weights.Cast<ushort>().SubView(FirstQuery * CrossMatrixState<TMatrix>.WeightPitch));
    }

    public static void Write<TElement, TStorage, TAccess>(
        in CrossMatrixState<TMatrix> state, in TileMap<TStorage> outputs, int first, int end)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int row = FirstQuery + MatrixRows<TStorage, TAccess>.OfLane;
        state.Write(MatrixRows<TStorage, TAccess>.Locate(in outputs, row, row + Rows / 2), first, end - first);
    }

    public static void WriteWide<TElement, TAccess>(
        in CrossMatrixState<TMatrix> state, in TileMap<TReal> outputs, int first, int end)
        where TElement : struct, IElement<TReal, TReal>
        where TAccess : struct, IChannelAccess =>
        state.WriteWide<TReal, TAccess>(in outputs, FirstQuery, first, end - first);

    // The cells that are staged: a constant where pairs of columns are numbered by them.
    private static int Staged<TAccess>(int count)
        where TAccess : struct, IChannelAccess => TAccess.ChannelsFastest ? count : CrossTile.Cells;

    // The products of sixteen channels.
    private static void Add(ref CrossScores scores, int count, uint queries, uint keys)
    {
        var query = MatrixMemory.Load(queries);
        AddTwo(ref scores.Block0, ref scores.Block1, in query, MatrixMemory.Load(keys + 0 * TwoBlockBytes));
        AddTwo(ref scores.Block2, ref scores.Block3, in query, MatrixMemory.Load(keys + 1 * TwoBlockBytes));
        if (count > 1 * CrossTile.CellBlock)
        {
            AddTwo(ref scores.Block4, ref scores.Block5, in query, MatrixMemory.Load(keys + 2 * TwoBlockBytes));
            AddTwo(ref scores.Block6, ref scores.Block7, in query, MatrixMemory.Load(keys + 3 * TwoBlockBytes));
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            AddTwo(ref scores.Block8, ref scores.Block9, in query, MatrixMemory.Load(keys + 4 * TwoBlockBytes));
            AddTwo(ref scores.Block10, ref scores.Block11, in query, MatrixMemory.Load(keys + 5 * TwoBlockBytes));
        }
    }

    private static void AddTwo(
        ref Pack4<float> first, ref Pack4<float> second, in Pack4<uint> query, Pack4<uint> keys)
    {
        TMatrix.MultiplyAdd(ref first, in query, keys.X, keys.Y);
        TMatrix.MultiplyAdd(ref second, in query, keys.Z, keys.W);
    }
}

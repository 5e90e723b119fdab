using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Scores and sums by matrix units. A warp owns a block of four cells, sixteen queries. A row of the positions that their
/// windows cover is padded to eight; products that belong to no window are left out, or have weight 0.
/// </summary>
/// <typeparam name="TMatrix">The format of the maps.</typeparam>
/// <typeparam name="TWindow">The window, fixed.</typeparam>
/// <typeparam name="TShape">The access that the shape of the tile is made for.</typeparam>
/// <typeparam name="TMemory">How the shared memory is divided.</typeparam>
internal static class MatrixProductSteps<TMatrix, TWindow, TShape, TMemory>
    where TMatrix : struct, IMatrixFormat
    where TWindow : struct, IWindow
    where TShape : struct, IChannelAccess
    where TMemory : struct, ICellPairMemory
{
    // Pitches in packs of eight channels: the eight rows that are read together meet different groups of banks.
    private static int DotPitch => TMemory.MatrixDotPacks<TWindow>() + 1;

    private static int SumPitch => TMemory.MatrixSumPacks<TWindow>() + 1;

    // The channels of a product.
    private const int ProductBytes = 2 * MatrixProduct<TMatrix>.Channels;

    private static int Cells => CellPair.HaloCells<TWindow, TShape>();

    private static int HaloWidth => CellPair.HaloWidth<TWindow, TShape>();

    /// <summary>Gets the packs of shared memory that the steps stage operands in.</summary>
    public static int StageLength => Math.Max((Cells + CellPair.Queries) * DotPitch, Cells * SumPitch);

    /// <summary>
    /// The scores of the lane's queries and positions, ⟨query, key⟩. Run by a whole group; begins and ends without a
    /// barrier.
    /// </summary>
    public static MatrixScores<TMatrix, TWindow, TShape> Scores<TStorage, TAccess>(
        in MatrixBlock<TWindow, TShape> block,
        in TileMap<TStorage> query,
        in TileMap<TStorage> key,
        int channels,
        ArrayView<Pack4<uint>> stage)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int packs = TMemory.MatrixDotPacks<TWindow>();
        int toQueries = Cells * DotPitch;
        uint memory = MatrixMemory.FirstAllocation();
        int lane = Group.IdxX & (CellPair.WarpSize - 1);
        uint queries = memory + (uint)(
            (toQueries + block.Query(lane & 15) * DotPitch + lane / 16) * MatrixRound.PackBytes);

        // Two rows of positions, of each two blocks of eight channels.
        uint keys = memory + (uint)(
            (block.Position(lane / 16, lane & 7) * DotPitch + (lane / 8 & 1)) * MatrixRound.PackBytes);
        var scores = default(MatrixScores<TMatrix, TWindow, TShape>);
        for (int first = 0; first < channels; first += MatrixRound.Channels * packs)
        {
            Group.Barrier();
            if (TAccess.ChannelsFastest && Cells <= MatrixRound.Positions(packs))
            {
                // All reads come before the first write.
                var keyRound = MatrixRound.Read(in key, 0, Cells, first, channels, packs);
                var queryRound = MatrixRound.Read(in query, 0, CellPair.Queries, first, channels, packs);
                keyRound.Write(stage, DotPitch, packs, forSums: false);
                queryRound.Write(stage.SubView(toQueries), DotPitch, packs, forSums: false);
            }
            else
            {
                MatrixRound.Stage<TStorage, TAccess>(
                    in key, Cells, first, channels, packs, DotPitch, stage, forSums: false);
                MatrixRound.Stage<TStorage, TAccess>(
                    in query,
                    CellPair.Queries,
                    first,
                    channels,
                    packs,
                    DotPitch,
                    stage.SubView(toQueries),
                    forSums: false);
            }
            Group.Barrier();
            int rowBytes = HaloWidth * DotPitch * MatrixRound.PackBytes;
            scores.Add(queries, keys, rowBytes);
            scores.Add(queries + 32, keys + 32, rowBytes);
            if (packs > 4)
            {
                scores.Add(queries + 64, keys + 64, rowBytes);
                scores.Add(queries + 96, keys + 96, rowBytes);
            }
        }
        return scores;
    }

    /// <summary>
    /// output = Σ weights · source. Run by a whole group; begins and ends without a barrier, and one lies between it and
    /// the positions of the output.
    /// </summary>
    /// <param name="block">The block of the warp.</param>
    /// <param name="factors">The weights, rounded.</param>
    /// <param name="source">What is summed.</param>
    /// <param name="output">Where the sums go.</param>
    /// <param name="channels">The channels of both.</param>
    /// <param name="stage">The memory to stage in, the first that the group allocates.</param>
    /// <param name="weights">The weights in memory; room for them where they are in registers alone.</param>
    /// <param name="inRegisters">Whether they are in registers alone, a constant.</param>
    public static void Sums<TStorage, TScale, TAccess>(
        in MatrixBlock<TWindow, TShape> block,
        in MatrixWeights<TMatrix, TWindow, TShape> factors,
        in TileMap<TStorage> source,
        in TileMap<TStorage> output,
        int channels,
        ArrayView<Pack4<uint>> stage,
        ArrayView<float> weights,
        bool inRegisters)
        where TStorage : unmanaged
        where TScale : struct, IScale
        where TAccess : struct, IChannelAccess
    {
        int packs = TMemory.MatrixSumPacks<TWindow>();
        int lane = Group.IdxX & (CellPair.WarpSize - 1);

        // Two rows of positions for each of two blocks of eight channels; the last row for each of four.
        uint memory = MatrixMemory.FirstAllocation();
        uint values = memory + (uint)(
            (block.Position(lane / 8 & 1, lane & 7) * SumPitch + lane / 16) * MatrixRound.PackBytes);
        uint lastRow = memory + (uint)(
            (block.Position(MatrixBlock<TWindow, TShape>.Rows - 1, lane & 7) * SumPitch + lane / 8)
            * MatrixRound.PackBytes);
        int rowBytes = HaloWidth * SumPitch * MatrixRound.PackBytes;
        int ownRow = MatrixRows<TStorage, TAccess>.OfLane;
        var rows = MatrixRows<TStorage, TAccess>.Locate(in output, block.Query(ownRow), block.Query(ownRow + 8));
        for (int first = 0; first < channels; first += MatrixRound.Channels * packs)
        {
            Group.Barrier();
            MatrixRound.Stage<TStorage, TAccess>(
                in source, Cells, first, channels, packs, SumPitch, stage, forSums: true);
            Group.Barrier();
            int end = Math.Min(channels - first, MatrixRound.Channels * packs);
            for (int channel = 0; channel < end; channel += 2 * MatrixProduct<TMatrix>.Channels)
            {
                // Two products at a time, for one to run while the other waits for its operands.
                uint at = values + (uint)(2 * channel);
                uint atLastRow = lastRow + (uint)(2 * channel);
                var low = default(MatrixProduct<TMatrix>);
                var high = default(MatrixProduct<TMatrix>);
                factors.AddTo(ref low, at, atLastRow, rowBytes);
                factors.AddTo(ref high, at + ProductBytes, atLastRow + ProductBytes, rowBytes);
                bool lowIsFinite = low.AreFinite();
                bool highIsFinite = high.AreFinite();
                if (inRegisters && MatrixMemory.IsAny(!lowIsFinite | !highIsFinite))
                {
                    var window = MatrixWindow<TWindow, TShape>.OfLane(in block);
                    factors.Write(in window, weights);
                    Warp.Barrier();
                }
                var staged = stage.SubView(channel / MatrixRound.Channels);
                if (!lowIsFinite)
                    SetExactly(ref low, in block, weights, staged);
                if (!highIsFinite)
                    SetExactly(ref high, in block, weights, staged.SubView(ProductBytes / MatrixRound.PackBytes));
                int remaining = channels - first - channel;
                low.Write(in rows, first + channel, remaining, TScale.IsTwo);
                high.Write(
                    in rows,
                    first + channel + MatrixProduct<TMatrix>.Channels,
                    remaining - MatrixProduct<TMatrix>.Channels,
                    TScale.IsTwo);
            }
        }
    }

    // The lane's sums, each of its own window alone.
    private static void SetExactly(
        ref MatrixProduct<TMatrix> sums,
        in MatrixBlock<TWindow, TShape> block,
        ArrayView<float> weights,
        ArrayView<Pack4<uint>> values)
    {
        for (int i = 0; i < MatrixProduct<TMatrix>.Sums; i++)
        {
            int row = MatrixProduct<TMatrix>.Row(i);
            int firstRow = row / 8 * MatrixBlock<TWindow, TShape>.RowsAbove;
            int firstColumn = MatrixBlock<TWindow, TShape>.CellColumn(row);
            int weight = block.InArray(row);
            float sum = 0;
            for (int y = 0; y < TWindow.Size(0); y++)
            {
                for (int x = 0; x < TWindow.Size(0); x++)
                {
                    int position = block.Position(firstRow + y, firstColumn + x);
                    var value = values.Cast<ushort>()[
                        position * SumPitch * MatrixRound.Channels + MatrixProduct<TMatrix>.Column(i)];
                    sum += weights[weight] * TMatrix.Widen(value);
                    weight += MatrixWindow<TWindow, TShape>.TapPitch;
                }
            }
            sums.Set(i, sum);
        }
    }
}

using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Scores and sums by matrix units. A warp owns a block of 2×2 cells: sixteen queries, which see (K + 1)² positions. A
/// row of positions is padded to eight; products that belong to no window are left out, or have weight 0.
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

    private static int Cells => CellPair.HaloCells<TWindow, TShape>();

    private static int HaloWidth => CellPair.HaloWidth<TWindow, TShape>();

    /// <summary>Gets the packs of shared memory that the steps stage operands in.</summary>
    public static int StageLength => Math.Max((Cells + CellPair.Queries) * DotPitch, Cells * SumPitch);

    /// <inheritdoc cref="ICellPairProducts.Dots"/>
    public static void Dots<TStorage, TAccess>(
        in TileMap<TStorage> query,
        in TileMap<TStorage> key,
        int channels,
        ArrayView<Pack4<uint>> stage,
        ArrayView<float> scores)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int packs = TMemory.MatrixDotPacks<TWindow>();
        int toQueries = Cells * DotPitch;
        var block = MatrixBlock<TWindow, TShape>.OfWarp();
        uint memory = MatrixMemory.FirstAllocation();
        int lane = Group.IdxX & (CellPair.WarpSize - 1);
        uint queries = memory + (uint)(
            (toQueries + block.Query(lane & 15) * DotPitch + lane / 16) * MatrixRound.PackBytes);

        // Two rows of positions, of each two blocks of eight channels.
        uint keys = memory + (uint)(
            (block.Position(lane / 16, lane & 7) * DotPitch + (lane / 8 & 1)) * MatrixRound.PackBytes);
        var sums = default(MatrixScores<TMatrix, TWindow>);
        for (int first = 0; first < channels; first += MatrixRound.Channels * packs)
        {
            Group.Barrier();
            if (Cells <= MatrixRound.Positions(packs))
            {
                // All reads come before the first write.
                var keyRound = MatrixRound.Read<TStorage, TAccess>(in key, 0, Cells, first, channels, packs);
                var queryRound = MatrixRound.Read<TStorage, TAccess>(
                    in query, 0, CellPair.Queries, first, channels, packs);
                keyRound.Write<TAccess>(stage, DotPitch, packs);
                queryRound.Write<TAccess>(stage.SubView(toQueries), DotPitch, packs);
            }
            else
            {
                MatrixRound.Stage<TStorage, TAccess>(in key, Cells, first, channels, packs, DotPitch, stage);
                MatrixRound.Stage<TStorage, TAccess>(
                    in query, CellPair.Queries, first, channels, packs, DotPitch, stage.SubView(toQueries));
            }
            Group.Barrier();
            int rowBytes = HaloWidth * DotPitch * MatrixRound.PackBytes;
            sums.Add(queries, keys, rowBytes);
            sums.Add(queries + 32, keys + 32, rowBytes);
            if (packs > 4)
            {
                sums.Add(queries + 64, keys + 64, rowBytes);
                sums.Add(queries + 96, keys + 96, rowBytes);
            }
        }
        sums.Store(in block, scores);
    }

    /// <inheritdoc cref="ICellPairProducts.Sums"/>
    public static void Sums<TStorage, TScale, TAccess>(
        in TileMap<TStorage> source,
        in TileMap<TStorage> output,
        int channels,
        int byRows,
        ArrayView<Pack4<uint>> stage,
        ArrayView<float> weights)
        where TStorage : unmanaged
        where TScale : struct, IScale
        where TAccess : struct, IChannelAccess
    {
        int packs = TMemory.MatrixSumPacks<TWindow>();
        var block = MatrixBlock<TWindow, TShape>.OfWarp();
        int lane = Group.IdxX & (CellPair.WarpSize - 1);

        // Two rows of positions for each of two blocks of eight channels.
        uint values = MatrixMemory.FirstAllocation() + (uint)(
            (block.Position(lane / 8 & 1, lane & 7) * SumPitch + lane / 16) * MatrixRound.PackBytes);
        Group.Barrier();
        var factors = MatrixWeights<TMatrix, TWindow>.Load(in block, weights);
        var rows = MatrixRows<TStorage, TAccess>.Locate(in output, block.Query(0), block.Query(8));
        for (int first = 0; first < channels; first += MatrixRound.Channels * packs)
        {
            Group.Barrier();
            MatrixRound.Stage<TStorage, TAccess>(in source, Cells, first, channels, packs, SumPitch, stage);
            Group.Barrier();
            int end = Math.Min(channels - first, MatrixRound.Channels * packs);
            for (int channel = 0; channel < end; channel += MatrixProduct<TMatrix>.Channels)
            {
                var sums = default(MatrixProduct<TMatrix>);
                Add(ref sums, in factors, values + (uint)(2 * channel));
                if (!sums.AreFinite())
                    SetExactly(ref sums, in block, weights, stage.SubView(channel / MatrixRound.Channels));
                sums.Write(in rows, first + channel, channels - first - channel, TScale.IsTwo & byRows != 0);
            }
        }
    }

    private static void Add(ref MatrixProduct<TMatrix> sums, in MatrixWeights<TMatrix, TWindow> weights, uint values)
    {
        uint twoRows = (uint)(2 * HaloWidth * SumPitch * MatrixRound.PackBytes);
        sums.Add(in weights.Rows0, values);
        sums.Add(in weights.Rows2, values + twoRows);
        if (TWindow.Size(0) > 3)
            sums.Add(in weights.Rows4, values + 2 * twoRows);
        if (TWindow.Size(0) > 5)
            sums.Add(in weights.Rows6, values + 3 * twoRows);
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
            int pair = row < 8 ? block.Upper : block.Lower;
            int weight = MatrixBlock<TWindow, TShape>.InArray(pair, row);
            float sum = 0;
            for (int y = 0; y < TWindow.Size(0); y++)
            {
                for (int x = 0; x < TWindow.Size(0); x++)
                {
                    int position = block.Position(row / 8 + y, (row / 4 & 1) + x);
                    var value = values.Cast<ushort>()[
                        position * SumPitch * MatrixRound.Channels + MatrixProduct<TMatrix>.Channel(i)];
                    sum += weights[weight] * TMatrix.Widen(value);
                    weight += MatrixWindow<TWindow>.TapPitch;
                }
            }
            sums.Set(i, sum);
        }
    }
}

using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gather of <see cref="TransposedReassembly{TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TScale,
/// TAccess}"/> for fixed windows and a ratio of 2 by matrix units: weights of sixteen cells times the queries around them.
/// </summary>
/// <remarks>
/// A group owns a tile of sixteen cells. Their weights are one factor, a row for each cell and a column for each query
/// of the cells that the tile's windows cover, 0 where a query's window does not hold the cell. The other factor is the
/// source, which passes through shared memory 128 channels of a row of cells at a time; a warp takes 32 of them. A cell's
/// sums have the same order in every band: no product spans two rows of cells. Traffic to main memory: every operand
/// once; what neighbours share is served by the cache.
/// </remarks>
[RegisterLimit(RegisterLimitAttribute.SevenWarpsAQuarter)]
internal readonly struct MatrixGather<
    TMatrix, TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TAccess>
    : IKernel<TransposedReassemblyParameters<TStorage, TWeight>>
    where TMatrix : struct, IMatrixFormat
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWeightElement : struct, IElement<TWeight, TReal>
    where TWeight : unmanaged
    where TWindow : struct, IWindow
    where TAccess : struct, IChannelAccess
{
    private const int ChannelsAtOnce = 128;
    private const int StagePitch = ChannelsAtOnce / MatrixRound.Channels + 1;
    private const int StagedPositions = 64;

    // The ninth cell.
    private const int Lower = 8;

    public static int GroupSize => MatrixRound.GroupSize;

    public static long GroupCount(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        MatrixCells<TWindow, TAccess>.GroupCount(in parameters.Extent, in parameters.Band);

    public static void Execute(in TransposedReassemblyParameters<TStorage, TWeight> parameters)
    {
        int stageLength = StagedPositions * StagePitch;
        int pitch = MatrixCells<TWindow, TAccess>.FactorPitch;
        var memory = SharedMemory.Allocate<Pack4<uint>>(stageLength + MatrixCells<TWindow, TAccess>.FactorLength)
            .AsAligned(MatrixRound.PackBytes);
        var positions = SharedMemory.Allocate<int>(MatrixCells<TWindow, TAccess>.Queries + StagedPositions);
        var results = SharedMemory.Allocate<int>(CellPair.Cells);
        var cells = MatrixCells<TWindow, TAccess>.Locate(in parameters.Extent, in parameters.Band);
        var factor = memory.SubView(stageLength);
        MatrixCells<TWindow, TAccess>.Clear(factor);
        var source = cells.Sources(in parameters.Extent, in parameters.Source, positions);
        var result = cells.Results(in parameters.Extent, in parameters.Result, results);
        Group.Barrier();
        cells.LoadWeights<TElement, TStorage, TReal, TWeightElement, TWeight>(
            in parameters.Extent, in parameters.Weights, factor.Cast<TStorage>());

        int ownCell = MatrixRows<TStorage, TAccess>.OfLane;
        var resultRows = MatrixRows<TStorage, TAccess>.Locate(in result, ownCell, Lower + ownCell);
        int lane = Group.IdxX & (CellPair.WarpSize - 1);
        int firstOfWarp = CellPair.Warp * MatrixProduct<TMatrix>.Channels;
        uint address = MatrixMemory.FirstAllocation();
        uint weights = address + (uint)(
            (stageLength + (lane & 15) * pitch + lane / 16) * MatrixRound.PackBytes);
        uint values = address + (uint)(
            ((lane & 15) * StagePitch + lane / 16) * MatrixRound.PackBytes + firstOfWarp * 2);
        int rowQueries = MatrixCells<TWindow, TAccess>.RowQueries;
        int rowsAtOnce = StagedPositions / rowQueries;
        for (int first = 0; first < parameters.Extent.ValueChannels; first += ChannelsAtOnce)
        {
            var sums = default(MatrixProduct<TMatrix>);
            for (int row = 0; row < MatrixCells<TWindow, TAccess>.HaloHeight; row += rowsAtOnce)
            {
                Group.Barrier();
                var rows = source;
                rows.Positions = positions.SubView(row * rowQueries);
                MatrixRound.Stage<TStorage, TAccess>(
                    in rows,
                    rowsAtOnce * rowQueries,
                    first,
                    parameters.Extent.ValueChannels,
                    ChannelsAtOnce / MatrixRound.Channels,
                    StagePitch,
                    memory,
                    forSums: true);
                Group.Barrier();
                uint at = weights + (uint)(row * rowQueries * 2);
                if (first + firstOfWarp < parameters.Extent.ValueChannels)
                {
                    Add(ref sums, at, values, 0);
                    Add(ref sums, at, values, 1);
                    Add(ref sums, at, values, 2);
                    if (rowsAtOnce * rowQueries > 48)
                        Add(ref sums, at, values, 3);
                }
            }
            int channel = first + firstOfWarp;
            int remaining = parameters.Extent.ValueChannels - channel;
            if (remaining > 0 && !sums.AreFinite())
                SetExactly(ref sums, factor.Cast<ushort>(), in source, channel, remaining);
            if (parameters.Accumulate != 0)
                sums.AddKnown<TStorage, TAccess>(in result, 0, Lower, channel, remaining);
            sums.Write(in resultRows, channel, remaining, byPairs: true);
        }
    }

    private static void Add(ref MatrixProduct<TMatrix> sums, uint weights, uint values, int step)
    {
        var factor = MatrixMemory.Load(weights + (uint)(32 * step));
        sums.Add(in factor, values + (uint)(16 * step * StagePitch * MatrixRound.PackBytes));
    }

    // The lane's sums, each of the queries alone that see the cell.
    private static void SetExactly(
        ref MatrixProduct<TMatrix> sums,
        ArrayView<ushort> weights,
        in TileMap<TStorage> source,
        int firstChannel,
        int remaining)
    {
        for (int i = 0; i < MatrixProduct<TMatrix>.Sums; i++)
        {
            int channel = MatrixProduct<TMatrix>.Channel<TAccess>(i);
            int cell = MatrixProduct<TMatrix>.Row(i);
            float sum = 0;
            for (int y = 0; y < TWindow.Size(0) & channel < remaining; y++)
            {
                int first = MatrixCells<TWindow, TAccess>.Query(cell, y);
                for (int query = first; query < first + MatrixCells<TWindow, TAccess>.QueriesSeen; query++)
                {
                    int position = source.Positions[query];
                    ushort value = 0;
                    if (position >= 0)
                        value = source.Data.Cast<ushort>()[source.Offset<TAccess>(position, firstChannel + channel)];
                    sum += TMatrix.Widen(weights[MatrixCells<TWindow, TAccess>.Weight(cell, query)])
                        * TMatrix.Widen(value);
                }
            }
            sums.Set(i, sum);
        }
    }
}

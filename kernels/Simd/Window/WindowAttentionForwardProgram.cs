using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Fused window attention, forward, on the CPU. A tile is a strip of cells as wide as a vector, a few rows high: keys
/// and queries are staged with the cells in the lanes, scores and softmax stay in scratch memory, and the values are
/// staged and summed with the lanes over channels where the output is channels-last, and over cells where it is
/// contiguous.
/// </summary>
internal readonly unsafe struct WindowAttentionForwardProgram<TSimd, TStorage, TReal, TVector, TBorder, TNormalisation>
    : ITileProgram<WindowAttentionParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TBorder : struct, IBorder
    where TNormalisation : struct, IScoreNormalisation
{
    public static long TileCount(in WindowAttentionParameters<TStorage, TReal> parameters) =>
        new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes).Count;

    public static double Operations(in WindowAttentionParameters<TStorage, TReal> parameters) =>
        WorkEstimate.Gather(
            in parameters.Extent,
            in parameters.Band,
            parameters.Extent.EmbeddingChannels + parameters.Extent.ValueChannels);

    public static long ScratchBytes(in WindowAttentionParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        var tiling = new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes);
        _ = new Workspace(ref scratch, in parameters, default, tiling.ColumnsPerTile);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowAttentionParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        ref readonly var extent = ref parameters.Extent;
        var tiling = new StripTiling(extent.Width, in parameters.Band, TSimd.Lanes);
        var cells = tiling[tile];
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, in cells, tiling.ColumnsPerTile);
        var next = default(PrefetchQueue);
        for (int row = cells.Row; row < cells.RowEnd; row++)
        {
            workspace.MoveTo(row);
            next = default;
            if (row + 1 < cells.RowEnd)
                PrefetchNextRow(in parameters, in cells, row + 1, in workspace, ref next);
            int columns = workspace.Sums.StripsAtOnce * TSimd.Lanes;
            for (int column = 0; column < cells.Columns; column += columns)
                Attend(in parameters, cells.Part(column, columns), row, column, in workspace, ref next);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Attend(
        in WindowAttentionParameters<TStorage, TReal> parameters,
        in Strip strips,
        int row,
        int column,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        int lanes = TSimd.Lanes;
        var output = new MapPointer<TStorage>(in parameters.Output);
        int packs = StripQueries.QueryPacks(in extent, in strips, row);
        for (int pack = 0; pack < packs; pack++)
        {
            for (int strip = 0; strip < strips.Strips(lanes); strip++)
            {
                int start = strips.StripStart(strip, lanes);
                workspace.Dots.Select(row, column + start);
                Weigh(
                    in parameters,
                    strips.Part(start, lanes),
                    row,
                    pack,
                    in workspace,
                    workspace.Scores + (nint)strip * 4 * lanes * extent.Taps,
                    ref next);
            }
            workspace.Sums.Select(row, column);
            workspace.Sums.Run(workspace.Scores, in output, in extent, in strips, row, pack, ref next);
        }
    }

    // The weights of a query pack of a strip.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Weigh(
        in WindowAttentionParameters<TStorage, TReal> parameters,
        in Strip strip,
        int row,
        int pack,
        in Workspace workspace,
        TReal* scores,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        var normaliserMap = new MapPointer<TReal>(in parameters.Normaliser);
        TReal* normaliser = parameters.SaveNormaliser != 0 ? workspace.Normaliser : null;
        workspace.Dots.Run<TBorder>(in extent, in strip, row, pack, TBorder.OutsideScore<TReal>(), scores, ref next);
        WindowSteps<TSimd, TStorage, TReal, TVector>.Normalise<TNormalisation>(scores, extent.Taps, normaliser);
        if (normaliser is not null)
            SimdScalarMap<TReal>.Store(normaliser, in normaliserMap, in strip, row, pack, in extent, TSimd.Lanes);
        if (TBorder.Replicates)
            WindowSteps<TSimd, TStorage, TReal, TVector>.Fold(scores, in extent, in strip, row);
    }

    // What the next row reads for the first time: its queries and the last row of its windows.
    private static void PrefetchNextRow(
        in WindowAttentionParameters<TStorage, TReal> parameters,
        in Strip cells,
        int row,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        next.AddQueries(
            new MapPointer<TStorage>(in parameters.Query), in cells, row, in extent, extent.EmbeddingChannels);
        next.AddWindowRow(
            new MapPointer<TStorage>(in parameters.Value), in cells, row, in extent, extent.ValueChannels);
        next.AddWindowRow(
            new MapPointer<TStorage>(in parameters.Key), in cells, row, in extent, extent.EmbeddingChannels);
        next.Plan(
            workspace.Dots.Steps(cells.Columns, extent.Taps) + workspace.Sums.Steps(cells.Columns));
    }

    private struct Workspace
    {
        public WindowDots<TSimd, TStorage, TReal, TVector> Dots;
        public WindowSums<TSimd, TStorage, TReal, TVector> Sums;
        public TReal* Scores;
        public TReal* Normaliser;

        public Workspace(
            ref ScratchAllocator scratch,
            in WindowAttentionParameters<TStorage, TReal> parameters,
            in Strip cells,
            int columns)
        {
            ref readonly var extent = ref parameters.Extent;
            int lanes = TSimd.Lanes;
            Dots = new(
                ref scratch,
                in parameters.Query,
                in parameters.Key,
                in extent,
                extent.EmbeddingChannels,
                in cells,
                columns,
                TBorder.Replicates);
            Sums = new(
                ref scratch, in parameters.Value, in parameters.Output, in extent, extent.ValueChannels, in cells, columns);
            Scores = scratch.Take<TReal>((long)Sums.StripsAtOnce * 4 * lanes * extent.Taps);
            Normaliser = scratch.Take<TReal>(4L * lanes);
        }

        public void MoveTo(int row)
        {
            Dots.MoveTo(row);
            Sums.MoveTo(row);
        }
    }
}

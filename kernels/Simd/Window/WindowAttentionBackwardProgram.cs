using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The first backward pass of window attention on the CPU, tiled and staged like the forward: weights and gradients of
/// the scores go to the workspace, the gradient of the query to its map. Queries and the gradient of the output meet
/// keys and values in the same inner loop.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic of the maps.</typeparam>
/// <typeparam name="TStorage">The type of the maps.</typeparam>
/// <typeparam name="TReal">The type of the arithmetic and of the workspace.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="TReal"/>.</typeparam>
/// <typeparam name="TWorkspaceSimd">The vector arithmetic of the workspace.</typeparam>
/// <typeparam name="TBorder">The border rule.</typeparam>
/// <typeparam name="TNormalisation">How scores become weights.</typeparam>
internal readonly unsafe struct WindowAttentionBackwardProgram<TSimd, TStorage, TReal, TVector, TWorkspaceSimd, TBorder, TNormalisation>
    : ITileProgram<WindowAttentionBackwardParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TWorkspaceSimd : struct, ISimd<TReal, TReal, TVector>
    where TBorder : struct, IBorder
    where TNormalisation : struct, IScoreNormalisation
{
    public static long TileCount(in WindowAttentionBackwardParameters<TStorage, TReal> parameters) =>
        new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes).Count;

    public static double Operations(in WindowAttentionBackwardParameters<TStorage, TReal> parameters) =>
        WorkEstimate.Gather(
            in parameters.Extent,
            in parameters.Band,
            2 * parameters.Extent.EmbeddingChannels + parameters.Extent.ValueChannels);

    public static long ScratchBytes(in WindowAttentionBackwardParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        var tiling = new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes);
        _ = new Workspace(ref scratch, in parameters, default, tiling.ColumnsPerTile);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(
        in WindowAttentionBackwardParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        ref readonly var extent = ref parameters.Extent;
        var tiling = new StripTiling(extent.Width, in parameters.Band, TSimd.Lanes);
        var cells = tiling[tile];
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, in cells, tiling.ColumnsPerTile);
        for (int row = cells.Row; row < cells.RowEnd; row++)
        {
            workspace.MoveTo(row);
            var next = default(PrefetchQueue);
            if (row + 1 < cells.RowEnd)
                PrefetchNextRow(in parameters, in cells, row + 1, in workspace, ref next);
            int columns = workspace.StripsAtOnce * TSimd.Lanes;
            for (int column = 0; column < cells.Columns; column += columns)
                Differentiate(in parameters, cells.Part(column, columns), row, column, in workspace, ref next);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in WindowAttentionBackwardParameters<TStorage, TReal> parameters,
        in Strip strips,
        int row,
        int column,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        int lanes = TSimd.Lanes;
        int packs = StripQueries.QueryPacks(in extent, in strips, row);
        for (int pack = 0; pack < packs; pack++)
        {
            for (int strip = 0; strip < strips.Strips(lanes); strip++)
            {
                int start = strips.StripStart(strip, lanes);
                workspace.Select(row, column + start);
                Differentiate(
                    in parameters,
                    strips.Part(start, lanes),
                    row,
                    pack,
                    in workspace,
                    workspace.GradScores + (nint)strip * 4 * lanes * extent.Taps,
                    ref next);
            }
            if (parameters.NeedsGradQuery == 0)
                continue;
            workspace.Select(row, column);
            SumQueries(in parameters, in strips, row, pack, in workspace, ref next);
        }
    }

    // Weights and gradients of the scores of a query pack of a strip.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in WindowAttentionBackwardParameters<TStorage, TReal> parameters,
        in Strip strip,
        int row,
        int pack,
        in Workspace workspace,
        TReal* gradScores,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        var normaliser = new MapPointer<TReal>(in parameters.Normaliser);
        workspace.Scores.Run<TBorder>(
            in extent, in strip, row, pack, TBorder.OutsideScore<TReal>(), workspace.Weights, ref next);
        workspace.WeightGradients.Run<TBorder>(in extent, in strip, row, pack, TReal.Zero, gradScores, ref next);
        SimdScalarMap<TReal>.Load(in normaliser, in strip, row, pack, in extent, workspace.Normaliser, TSimd.Lanes);
        WindowSteps<TSimd, TStorage, TReal, TVector>.NormaliseBackward<TNormalisation>(
            workspace.Weights, gradScores, extent.Taps, workspace.Normaliser);
        if (TBorder.Replicates)
        {
            WindowSteps<TSimd, TStorage, TReal, TVector>.Fold(workspace.Weights, in extent, in strip, row);
            WindowSteps<TSimd, TStorage, TReal, TVector>.Fold(gradScores, in extent, in strip, row);
        }
        if (parameters.NeedsWeights != 0)
        {
            QueryPackTile<TWorkspaceSimd, TReal, TReal, TVector>.Store(
                workspace.Weights, new MapPointer<TReal>(in parameters.Weights), in strip, row, pack, in extent, 0, extent.Taps);
        }
        if (parameters.NeedsGradScores != 0)
        {
            QueryPackTile<TWorkspaceSimd, TReal, TReal, TVector>.Store(
                gradScores, new MapPointer<TReal>(in parameters.GradScores), in strip, row, pack, in extent, 0, extent.Taps);
        }
    }

    // The gradient of a query pack: the keys, each times the gradient of its score.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumQueries(
        in WindowAttentionBackwardParameters<TStorage, TReal> parameters,
        in Strip strips,
        int row,
        int pack,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        var gradQuery = new MapPointer<TStorage>(in parameters.GradQuery);
        if (workspace.OverChannels)
        {
            WindowSteps<TSimd, TStorage, TReal, TVector>.SumsOverChannels(
                workspace.GradScores,
                workspace.Scores.OverPixels ? workspace.Scores.Pixels : workspace.KeyPixels,
                extent.EmbeddingChannels,
                in gradQuery,
                in extent,
                in strips,
                row,
                pack,
                ref next);
            return;
        }
        WindowSteps<TSimd, TStorage, TReal, TVector>.SumsOverCells(
            workspace.GradScores,
            workspace.Scores.Rows.Taps,
            extent.Taps,
            workspace.Scores.Rows.ChannelStride,
            extent.EmbeddingChannels,
            workspace.Sums,
            in gradQuery,
            in strips,
            row,
            pack,
            in extent,
            ref next);
    }

    // What the next row reads for the first time: the gradients of its outputs and the last row of its windows.
    private static void PrefetchNextRow(
        in WindowAttentionBackwardParameters<TStorage, TReal> parameters,
        in Strip cells,
        int row,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        next.AddQueries(
            new MapPointer<TStorage>(in parameters.GradOutput), in cells, row, in extent, extent.ValueChannels);
        next.AddQueries(
            new MapPointer<TStorage>(in parameters.Query), in cells, row, in extent, extent.EmbeddingChannels, mostRows: 1);
        next.AddWindowRow(
            new MapPointer<TStorage>(in parameters.Value), in cells, row, in extent, extent.ValueChannels);
        next.Plan(
            workspace.Scores.Steps(cells.Columns, extent.Taps)
            + workspace.WeightGradients.Steps(cells.Columns, extent.Taps));
    }

    private struct Workspace
    {
        public bool OverChannels;
        public int StripsAtOnce;
        public WindowDots<TSimd, TStorage, TReal, TVector> Scores;
        public WindowDots<TSimd, TStorage, TReal, TVector> WeightGradients;
        public PixelWindow<TSimd, TStorage, TReal, TVector> KeyPixels;
        public TReal* Weights;
        public TReal* GradScores;
        public TReal* Normaliser;
        public TReal* Sums;

        public Workspace(
            ref ScratchAllocator scratch, in WindowAttentionBackwardParameters<TStorage, TReal> parameters, in Strip cells, int columns)
        {
            ref readonly var extent = ref parameters.Extent;
            int lanes = TSimd.Lanes;
            bool needsGradQuery = parameters.NeedsGradQuery != 0;
            OverChannels = needsGradQuery
                && SimdFormats.OverChannels(in parameters.GradQuery, extent.EmbeddingChannels, lanes);
            Scores = new(
                ref scratch,
                in parameters.Query,
                in parameters.Key,
                in extent,
                extent.EmbeddingChannels,
                in cells,
                columns,
                TBorder.Replicates,
                needsRows: needsGradQuery && !OverChannels,
                needsPixels: OverChannels);
            WeightGradients = new(
                ref scratch,
                in parameters.GradOutput,
                in parameters.Value,
                in extent,
                extent.ValueChannels,
                in cells,
                columns,
                TBorder.Replicates);
            KeyPixels = default;
            if (OwnKeyPixels)
                KeyPixels = new(ref scratch, in parameters.Key, in extent, extent.EmbeddingChannels, in cells, columns);
            Weights = scratch.Take<TReal>(4L * lanes * extent.Taps);
            StripsAtOnce = OverChannels ? 1 : WindowSteps<TSimd, TStorage, TReal, TVector>.StripsAtOnce(
                extent.Taps, columns);
            GradScores = scratch.Take<TReal>((long)StripsAtOnce * 4 * lanes * extent.Taps);
            Normaliser = scratch.Take<TReal>(4L * lanes);
            Sums = scratch.Take<TReal>(16L * lanes);
        }

        // Whether the sums over channels need keys that the scores did not stage.
        private readonly bool OwnKeyPixels => OverChannels && !Scores.OverPixels;

        public void MoveTo(int row)
        {
            Scores.MoveTo(row);
            WeightGradients.MoveTo(row);
            if (OwnKeyPixels)
                KeyPixels.MoveTo(row);
        }

        public readonly void Select(int row, int column)
        {
            Scores.Select(row, column);
            WeightGradients.Select(row, column);
            if (OwnKeyPixels)
                KeyPixels.Select(row, column);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The first backward pass of window attention on the CPU, tiled and staged like the forward: weights and gradients of
/// the scores go to the workspace, the gradient of the query to its tensor. Queries and the gradient of the output meet
/// keys and values in the same inner loop.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic of the tensors.</typeparam>
/// <typeparam name="TStorage">The type of the tensors.</typeparam>
/// <typeparam name="T">The type of the arithmetic and of the workspace.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="T"/>.</typeparam>
/// <typeparam name="TWorkspaceSimd">The vector arithmetic of the workspace.</typeparam>
/// <typeparam name="TBorder">The border rule.</typeparam>
/// <typeparam name="TNormalisation">How scores become weights.</typeparam>
public readonly unsafe struct WindowAttentionBackwardProgram<TSimd, TStorage, T, TVector, TWorkspaceSimd, TBorder, TNormalisation>
    : ITileProgram<WindowAttentionBackwardParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TWorkspaceSimd : struct, ISimd<T, T, TVector>
    where TBorder : struct, IBorder
    where TNormalisation : struct, INormalisation
{
    /// <inheritdoc/>
    public static long TileCount(in WindowAttentionBackwardParameters<TStorage, T> parameters) =>
        new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes).Count;

    /// <inheritdoc/>
    public static double Operations(in WindowAttentionBackwardParameters<TStorage, T> parameters) =>
        WorkEstimate.Gather(
            in parameters.Extent,
            in parameters.Band,
            2 * parameters.Extent.EmbeddingChannels + parameters.Extent.ValueChannels);

    /// <inheritdoc/>
    public static long ScratchBytes(in WindowAttentionBackwardParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        var tiling = new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes);
        _ = new Workspace(ref scratch, in parameters, default, tiling.ColumnsPerTile);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(
        in WindowAttentionBackwardParameters<TStorage, T> parameters, long tile, byte* scratch)
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
                Foresee(in parameters, in cells, row + 1, ref next);
            for (int column = 0; column < cells.Columns; column += TSimd.Lanes)
            {
                workspace.Select(row, column);
                Differentiate(in parameters, cells.Part(column, TSimd.Lanes), row, in workspace, ref next);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in WindowAttentionBackwardParameters<TStorage, T> parameters,
        in Strip strip,
        int row,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        var query = new MapPointer<TStorage>(in parameters.Query);
        var gradOutput = new MapPointer<TStorage>(in parameters.GradOutput);
        var gradQuery = new MapPointer<TStorage>(in parameters.GradQuery);
        var normaliserMap = new MapPointer<T>(in parameters.Normaliser);
        var weights = new MapPointer<T>(in parameters.Weights);
        var gradScores = new MapPointer<T>(in parameters.GradScores);
        int quads = StripQueries.Quads(in extent, in strip, row);
        for (int quad = 0; quad < quads; quad++)
        {
            QuadTile<TSimd, TStorage, T, TVector>.Load(
                in query, in strip, row, quad, in extent, workspace.Queries, extent.EmbeddingChannels);
            WindowSteps<TSimd, TStorage, T, TVector>.Dots(
                workspace.Queries,
                workspace.Keys.Taps,
                extent.Taps,
                workspace.Keys.ChannelStride,
                extent.EmbeddingChannels,
                workspace.Weights,
                ref next);
            WindowSteps<TSimd, TStorage, T, TVector>.ScoreOutside<TBorder>(
                workspace.Weights, in extent, in strip, row, TBorder.OutsideScore<T>());

            QuadTile<TSimd, TStorage, T, TVector>.Load(
                in gradOutput, in strip, row, quad, in extent, workspace.Queries, extent.ValueChannels);
            WindowSteps<TSimd, TStorage, T, TVector>.Dots(
                workspace.Queries,
                workspace.Values.Taps,
                extent.Taps,
                workspace.Values.ChannelStride,
                extent.ValueChannels,
                workspace.GradScores,
                ref next);
            WindowSteps<TSimd, TStorage, T, TVector>.ScoreOutside<TBorder>(
                workspace.GradScores, in extent, in strip, row, T.Zero);

            SimdScalarMap<T>.Load(
                in normaliserMap, in strip, row, quad, in extent, workspace.Normaliser, TSimd.Lanes);
            WindowSteps<TSimd, TStorage, T, TVector>.NormaliseBackward<TNormalisation>(
                workspace.Weights, workspace.GradScores, extent.Taps, workspace.Normaliser);
            if (TBorder.Replicates)
            {
                WindowSteps<TSimd, TStorage, T, TVector>.Fold(
                    workspace.Weights, in extent, in strip, row);
                WindowSteps<TSimd, TStorage, T, TVector>.Fold(
                    workspace.GradScores, in extent, in strip, row);
            }
            if (parameters.NeedsWeights != 0)
            {
                QuadTile<TWorkspaceSimd, T, T, TVector>.Store(
                    workspace.Weights, in weights, in strip, row, quad, in extent, 0, extent.Taps);
            }
            if (parameters.NeedsGradScores != 0)
            {
                QuadTile<TWorkspaceSimd, T, T, TVector>.Store(
                    workspace.GradScores, in gradScores, in strip, row, quad, in extent, 0, extent.Taps);
            }
            if (parameters.NeedsGradQuery == 0)
                continue;
            if (workspace.OverChannels)
            {
                WindowSteps<TSimd, TStorage, T, TVector>.SumsOverChannels(
                    workspace.GradScores,
                    in workspace.KeyPixels,
                    extent.EmbeddingChannels,
                    in gradQuery,
                    in extent,
                    in strip,
                    row,
                    quad,
                    ref next);
            }
            else
            {
                WindowSteps<TSimd, TStorage, T, TVector>.SumsOverCells(
                    workspace.GradScores,
                    workspace.Keys.Taps,
                    extent.Taps,
                    workspace.Keys.ChannelStride,
                    extent.EmbeddingChannels,
                    workspace.Sums,
                    in gradQuery,
                    in strip,
                    row,
                    quad,
                    in extent,
                    ref next);
            }
        }
    }

    // What the next row reads for the first time: the gradients of its outputs and the last row of its windows.
    private static void Foresee(
        in WindowAttentionBackwardParameters<TStorage, T> parameters,
        in Strip cells,
        int row,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        next.AddQueries(
            new MapPointer<TStorage>(in parameters.GradOutput), in cells, row, in extent, extent.ValueChannels);
        next.AddQueries(
            new MapPointer<TStorage>(in parameters.Query), in cells, row, in extent, extent.EmbeddingChannels, mostRows: 1);
        next.AddWindowRow(new MapPointer<TStorage>(in parameters.Value), in cells, row, in extent, extent.ValueChannels);
        int strips = (cells.Columns + TSimd.Lanes - 1) / TSimd.Lanes;
        next.Plan(
            strips * WindowSteps<TSimd, TStorage, T, TVector>.DotSteps(extent.EmbeddingChannels, extent.Taps)
            + strips * WindowSteps<TSimd, TStorage, T, TVector>.DotSteps(extent.ValueChannels, extent.Taps));
    }

    private struct Workspace
    {
        public bool OverChannels;
        public WindowRows<TSimd, TStorage, T, TVector> Keys;
        public WindowRows<TSimd, TStorage, T, TVector> Values;
        public PixelWindow<TSimd, TStorage, T, TVector> KeyPixels;
        public T* Queries;
        public T* Weights;
        public T* GradScores;
        public T* Normaliser;
        public T* Sums;

        public Workspace(
            ref ScratchAllocator scratch, in WindowAttentionBackwardParameters<TStorage, T> parameters, in Strip cells, int columns)
        {
            ref readonly var extent = ref parameters.Extent;
            int lanes = TSimd.Lanes;
            OverChannels = parameters.NeedsGradQuery != 0
                && SimdFormats.OverChannels(in parameters.GradQuery, extent.EmbeddingChannels, lanes);
            KeyPixels = default;
            if (OverChannels)
                KeyPixels = new(ref scratch, in parameters.Key, in extent, extent.EmbeddingChannels, in cells, columns);
            Keys = new(ref scratch, in parameters.Key, in extent, extent.EmbeddingChannels, in cells, columns, TBorder.Replicates);
            Values = new(ref scratch, in parameters.Value, in extent, extent.ValueChannels, in cells, columns, TBorder.Replicates);
            Queries = scratch.Take<T>(4L * lanes * Math.Max(extent.EmbeddingChannels, extent.ValueChannels));
            Weights = scratch.Take<T>(4L * lanes * extent.Taps);
            GradScores = scratch.Take<T>(4L * lanes * extent.Taps);
            Normaliser = scratch.Take<T>(4L * lanes);
            Sums = scratch.Take<T>(16L * lanes);
        }

        public void MoveTo(int row)
        {
            Keys.MoveTo(row);
            Values.MoveTo(row);
            if (OverChannels)
                KeyPixels.MoveTo(row);
        }

        public readonly void Select(int row, int column)
        {
            Keys.Select(row, column);
            Values.Select(row, column);
            if (OverChannels)
                KeyPixels.Select(row, column);
        }
    }
}

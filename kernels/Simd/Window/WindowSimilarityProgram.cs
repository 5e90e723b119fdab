using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>Local similarity on the CPU, tiled and staged like the fused forward.</summary>
internal readonly unsafe struct WindowSimilarityProgram<TSimd, TStorage, TReal, TVector, TBorder>
    : ITileProgram<WindowSimilarityParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TBorder : struct, IBorder
{
    public static long TileCount(in WindowSimilarityParameters<TStorage> parameters) =>
        new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes).Count;

    public static double Operations(in WindowSimilarityParameters<TStorage> parameters) =>
        WorkEstimate.Gather(in parameters.Extent, in parameters.Band, parameters.Extent.EmbeddingChannels);

    public static long ScratchBytes(in WindowSimilarityParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        var tiling = new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes);
        _ = new Workspace(ref scratch, in parameters, default, tiling.ColumnsPerTile);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowSimilarityParameters<TStorage> parameters, long tile, byte* scratch)
    {
        ref readonly var extent = ref parameters.Extent;
        var tiling = new StripTiling(extent.Width, in parameters.Band, TSimd.Lanes);
        var cells = tiling[tile];
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, in cells, tiling.ColumnsPerTile);
        for (int row = cells.Row; row < cells.RowEnd; row++)
        {
            workspace.Dots.MoveTo(row);
            var next = default(PrefetchQueue);
            if (row + 1 < cells.RowEnd)
                PrefetchNextRow(in parameters, in cells, row + 1, in workspace, ref next);
            for (int column = 0; column < cells.Columns; column += TSimd.Lanes)
            {
                workspace.Dots.Select(row, column);
                Compare(in parameters, cells.Part(column, TSimd.Lanes), row, in workspace, ref next);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compare(
        in WindowSimilarityParameters<TStorage> parameters,
        in Strip strip,
        int row,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        var scores = new MapPointer<TStorage>(in parameters.Scores);
        int packs = StripQueries.QueryPacks(in extent, in strip, row);
        for (int pack = 0; pack < packs; pack++)
        {
            workspace.Dots.Run<TBorder>(in extent, in strip, row, pack, TReal.Zero, workspace.Scores, ref next);
            QueryPackTile<TSimd, TStorage, TReal, TVector>.Store(
                workspace.Scores, in scores, in strip, row, pack, in extent, 0, extent.Taps);
        }
    }

    // What the next row reads for the first time: its queries and the last row of its windows.
    private static void PrefetchNextRow(
        in WindowSimilarityParameters<TStorage> parameters,
        in Strip cells,
        int row,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        next.AddQueries(
            new MapPointer<TStorage>(in parameters.Query), in cells, row, in extent, extent.EmbeddingChannels);
        next.AddWindowRow(
            new MapPointer<TStorage>(in parameters.Key), in cells, row, in extent, extent.EmbeddingChannels);
        next.Plan(workspace.Dots.Steps(cells.Columns, extent.Taps));
    }

    private struct Workspace
    {
        public WindowDots<TSimd, TStorage, TReal, TVector> Dots;
        public TReal* Scores;

        public Workspace(
            ref ScratchAllocator scratch, in WindowSimilarityParameters<TStorage> parameters, in Strip cells, int columns)
        {
            ref readonly var extent = ref parameters.Extent;
            Dots = new(
                ref scratch,
                in parameters.Query,
                in parameters.Key,
                in extent,
                extent.EmbeddingChannels,
                in cells,
                columns,
                TBorder.Replicates);
            Scores = scratch.Take<TReal>(4L * TSimd.Lanes * extent.Taps);
        }
    }
}

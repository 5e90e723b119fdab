using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>Reassembly with given weights on the CPU, tiled and staged like the fused forward.</summary>
internal readonly unsafe struct WindowReassemblyProgram<TSimd, TStorage, TReal, TVector, TBorder>
    : ITileProgram<WindowReassemblyParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TBorder : struct, IBorder
{
    public static long TileCount(in WindowReassemblyParameters<TStorage> parameters) =>
        new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes).Count;

    public static double Operations(in WindowReassemblyParameters<TStorage> parameters) =>
        WorkEstimate.Gather(in parameters.Extent, in parameters.Band, parameters.Extent.ValueChannels);

    public static long ScratchBytes(in WindowReassemblyParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        var tiling = new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes);
        _ = new Workspace(ref scratch, in parameters, default, tiling.ColumnsPerTile);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowReassemblyParameters<TStorage> parameters, long tile, byte* scratch)
    {
        ref readonly var extent = ref parameters.Extent;
        var tiling = new StripTiling(extent.Width, in parameters.Band, TSimd.Lanes);
        var cells = tiling[tile];
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, in cells, tiling.ColumnsPerTile);
        for (int row = cells.Row; row < cells.RowEnd; row++)
        {
            workspace.Sums.MoveTo(row);
            var next = default(PrefetchQueue);
            if (row + 1 < cells.RowEnd)
                PrefetchNextRow(in parameters, in cells, row + 1, in workspace, ref next);
            int columns = workspace.Sums.StripsAtOnce * TSimd.Lanes;
            for (int column = 0; column < cells.Columns; column += columns)
            {
                workspace.Sums.Select(row, column);
                Reassemble(in parameters, cells.Part(column, columns), row, in workspace, ref next);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Reassemble(
        in WindowReassemblyParameters<TStorage> parameters,
        in Strip strips,
        int row,
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
                LoadWeights(
                    in parameters,
                    strips.Part(strips.StripStart(strip, lanes), lanes),
                    row,
                    pack,
                    workspace.Weights + (nint)strip * 4 * lanes * extent.Taps);
            }
            workspace.Sums.Run(workspace.Weights, in output, in extent, in strips, row, pack, ref next);
        }
    }

    // The weights of a query pack of a strip. One outside the map meets a staged zero, or nothing; it is cleared so
    // that not even infinity leaves a trace.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadWeights(
        in WindowReassemblyParameters<TStorage> parameters, in Strip strip, int row, int pack, TReal* weights)
    {
        ref readonly var extent = ref parameters.Extent;
        QueryPackTile<TSimd, TStorage, TReal, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Weights), in strip, row, pack, in extent, weights, extent.Taps);
        if (TBorder.Replicates)
            WindowSteps<TSimd, TStorage, TReal, TVector>.Fold(weights, in extent, in strip, row);
        WindowSteps<TSimd, TStorage, TReal, TVector>.ScoreOutside<TBorder>(
            weights, in extent, in strip, row, TReal.Zero);
    }

    // What the next row reads for the first time: its weights and the last row of its windows.
    private static void PrefetchNextRow(
        in WindowReassemblyParameters<TStorage> parameters,
        in Strip cells,
        int row,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        next.AddQueries(new MapPointer<TStorage>(in parameters.Weights), in cells, row, in extent, extent.Taps);
        next.AddWindowRow(
            new MapPointer<TStorage>(in parameters.Value), in cells, row, in extent, extent.ValueChannels);
        next.Plan(workspace.Sums.Steps(cells.Columns));
    }

    private struct Workspace
    {
        public WindowSums<TSimd, TStorage, TReal, TVector> Sums;
        public TReal* Weights;

        public Workspace(
            ref ScratchAllocator scratch, in WindowReassemblyParameters<TStorage> parameters, in Strip cells, int columns)
        {
            ref readonly var extent = ref parameters.Extent;
            Sums = new(
                ref scratch, in parameters.Value, in parameters.Output, in extent, extent.ValueChannels, in cells, columns);
            Weights = scratch.Take<TReal>((long)Sums.StripsAtOnce * 4 * TSimd.Lanes * extent.Taps);
        }
    }
}

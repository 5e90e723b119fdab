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
            workspace.MoveTo(row);
            var next = default(PrefetchQueue);
            if (row + 1 < cells.RowEnd)
                PrefetchNextRow(in parameters, in cells, row + 1, workspace.OverChannels, ref next);
            int columns = workspace.StripsAtOnce * TSimd.Lanes;
            for (int column = 0; column < cells.Columns; column += columns)
            {
                workspace.Select(row, column);
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
            if (workspace.OverChannels)
            {
                WindowSteps<TSimd, TStorage, TReal, TVector>.SumsOverChannels(
                    workspace.Weights,
                    in workspace.Pixels,
                    extent.ValueChannels,
                    in output,
                    in extent,
                    in strips,
                    row,
                    pack,
                    ref next);
            }
            else
            {
                WindowSteps<TSimd, TStorage, TReal, TVector>.SumsOverCells(
                    workspace.Weights,
                    workspace.Values.Taps,
                    extent.Taps,
                    workspace.Values.ChannelStride,
                    extent.ValueChannels,
                    workspace.Sums,
                    in output,
                    in strips,
                    row,
                    pack,
                    in extent,
                    ref next);
            }
        }
    }

    // The weights of a query pack of a strip. One outside the map meets a staged zero, or nothing; it is cleared so that
    // not even infinity leaves a trace.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadWeights(
        in WindowReassemblyParameters<TStorage> parameters, in Strip strip, int row, int pack, TReal* weights)
    {
        ref readonly var extent = ref parameters.Extent;
        QueryPackTile<TSimd, TStorage, TReal, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Weights), in strip, row, pack, in extent, weights, extent.Taps);
        if (TBorder.Replicates)
            WindowSteps<TSimd, TStorage, TReal, TVector>.Fold(weights, in extent, in strip, row);
        WindowSteps<TSimd, TStorage, TReal, TVector>.ScoreOutside<TBorder>(weights, in extent, in strip, row, TReal.Zero);
    }

    // What the next row reads for the first time: its weights and the last row of its windows.
    private static void PrefetchNextRow(
        in WindowReassemblyParameters<TStorage> parameters,
        in Strip cells,
        int row,
        bool overChannels,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        next.AddQueries(new MapPointer<TStorage>(in parameters.Weights), in cells, row, in extent, extent.Taps);
        next.AddWindowRow(new MapPointer<TStorage>(in parameters.Value), in cells, row, in extent, extent.ValueChannels);
        next.Plan(WindowSteps<TSimd, TStorage, TReal, TVector>.SumSteps(overChannels, extent.ValueChannels, cells.Columns));
    }

    private struct Workspace
    {
        public bool OverChannels;
        public int StripsAtOnce;
        public WindowRows<TSimd, TStorage, TReal, TVector> Values;
        public PixelWindow<TSimd, TStorage, TReal, TVector> Pixels;
        public TReal* Weights;
        public TReal* Sums;

        public Workspace(
            ref ScratchAllocator scratch, in WindowReassemblyParameters<TStorage> parameters, in Strip cells, int columns)
        {
            ref readonly var extent = ref parameters.Extent;
            OverChannels = SimdFormats.OverChannels(in parameters.Output, extent.ValueChannels, TSimd.Lanes);
            Values = default;
            Pixels = default;
            if (OverChannels)
                Pixels = new(ref scratch, in parameters.Value, in extent, extent.ValueChannels, in cells, columns);
            else
                Values = new(ref scratch, in parameters.Value, in extent, extent.ValueChannels, in cells, columns, replicates: false);
            StripsAtOnce = OverChannels ? 1 : WindowSteps<TSimd, TStorage, TReal, TVector>.StripsAtOnce(extent.Taps, columns);
            Weights = scratch.Take<TReal>((long)StripsAtOnce * 4 * TSimd.Lanes * extent.Taps);
            Sums = scratch.Take<TReal>(16L * TSimd.Lanes);
        }

        public void MoveTo(int row)
        {
            if (OverChannels)
                Pixels.MoveTo(row);
            else
                Values.MoveTo(row);
        }

        public readonly void Select(int row, int column)
        {
            if (OverChannels)
                Pixels.Select(row, column);
            else
                Values.Select(row, column);
        }
    }
}

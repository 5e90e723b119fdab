using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>Reassembly with given weights on the CPU, tiled and staged like the fused forward.</summary>
public readonly unsafe struct WindowReassemblyProgram<TSimd, TStorage, T, TVector, TBorder>
    : ITileProgram<WindowReassemblyParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TBorder : struct, IBorder
{
    /// <inheritdoc/>
    public static long TileCount(in WindowReassemblyParameters<TStorage> parameters) =>
        new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes).Count;

    /// <inheritdoc/>
    public static double Operations(in WindowReassemblyParameters<TStorage> parameters) =>
        WorkEstimate.Gather(in parameters.Extent, in parameters.Band, parameters.Extent.ValueChannels);

    /// <inheritdoc/>
    public static long ScratchBytes(in WindowReassemblyParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters, default);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowReassemblyParameters<TStorage> parameters, long tile, byte* scratch)
    {
        ref readonly var extent = ref parameters.Extent;
        var strip = new StripTiling(extent.Width, in parameters.Band, TSimd.Lanes)[tile];
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, in strip);
        var weights = new MapPointer<TStorage>(in parameters.Weights);
        var value = new MapPointer<TStorage>(in parameters.Value);
        var output = new MapPointer<TStorage>(in parameters.Output);
        for (int row = strip.Row; row < strip.RowEnd; row++)
        {
            if (!workspace.OverChannels)
                workspace.Values.MoveTo(row);
            int quads = StripQueries.Quads(in extent, in strip, row);
            for (int quad = 0; quad < quads; quad++)
            {
                QuadTile<TSimd, TStorage, T, TVector>.Load(
                    in weights, in strip, row, quad, in extent, workspace.Weights, extent.Taps);
                if (TBorder.Replicates)
                    WindowSteps<TSimd, TStorage, T, TVector>.Fold(workspace.Weights, in extent, in strip, row);
                if (workspace.OverChannels)
                {
                    WindowSteps<TSimd, TStorage, T, TVector>.SumsOverChannels(
                        workspace.Weights,
                        in value,
                        extent.ValueChannels,
                        in output,
                        in extent,
                        in strip,
                        row,
                        quad);
                    continue;
                }

                // A weight outside the map meets a staged zero; it is cleared so that not even infinity leaves a trace.
                WindowSteps<TSimd, TStorage, T, TVector>.ScoreOutside<TBorder>(
                    workspace.Weights, in extent, in strip, row, T.Zero);
                WindowSteps<TSimd, TStorage, T, TVector>.SumsOverCells(
                    workspace.Weights,
                    workspace.Values.Taps,
                    extent.Taps,
                    workspace.Values.ChannelStride,
                    extent.ValueChannels,
                    workspace.Sums,
                    in output,
                    in strip,
                    row,
                    quad,
                    in extent);
            }
        }
    }

    private struct Workspace
    {
        public bool OverChannels;
        public WindowRows<TSimd, TStorage, T, TVector> Values;
        public T* Weights;
        public T* Sums;

        public Workspace(
            ref ScratchAllocator scratch, in WindowReassemblyParameters<TStorage> parameters, in Strip strip)
        {
            ref readonly var extent = ref parameters.Extent;
            OverChannels = SimdFormats.OverChannels(
                in parameters.Value, in parameters.Output, extent.ValueChannels, TSimd.Lanes);
            Values = default;
            if (!OverChannels)
                Values = new(ref scratch, in parameters.Value, in extent, extent.ValueChannels, in strip, replicates: false);
            Weights = scratch.Take<T>(4L * TSimd.Lanes * extent.Taps);
            Sums = scratch.Take<T>(16L * TSimd.Lanes);
        }
    }
}

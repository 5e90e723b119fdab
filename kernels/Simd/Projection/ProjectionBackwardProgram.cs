using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The backward of LayerNorm and a linear map on the CPU, in one pass over the map. A tile is one chunk of pixels,
/// staged block by block with the channels of every pixel side by side: a block is added to the sums for the
/// parameters, which stay in the cache, and gives the gradients of its own pixels.
/// </summary>
internal readonly unsafe struct ProjectionBackwardProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<ProjectionBackwardParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    public static long TileCount(
        in ProjectionBackwardParameters<TStorage, TReal> parameters) => parameters.Outer.Chunks;

    public static double Operations(in ProjectionBackwardParameters<TStorage, TReal> parameters)
    {
        ref readonly var extent = ref parameters.Outer.Extent;
        int products = parameters.WantsInput + parameters.WantsParameters;
        return 2.0 * extent.Pixels * extent.InputChannels * ((double)products * extent.OutputChannels + 8);
    }

    public static long ScratchBytes(in ProjectionBackwardParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(in ProjectionBackwardParameters<TStorage, TReal> parameters, byte* scratch)
    {
        if (parameters.WantsInput == 0)
            return;
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        // The adjoint of the matrix is the same product with the strides of the matrix exchanged.
        MatrixProduct<TSimd, TStorage, TReal, TVector>.Pack(
            ViewPointer.Of(parameters.Weight),
            (nint)parameters.WeightColumnStride,
            (nint)parameters.WeightRowStride,
            parameters.Outer.Extent.InputChannels,
            parameters.Outer.Extent.OutputChannels,
            workspace.Matrix);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in ProjectionBackwardParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        ref readonly var extent = ref parameters.Outer.Extent;
        bool sums = parameters.WantsParameters != 0;
        if (sums)
        {
            new Span<TReal>(workspace.Sums, extent.OutputChannels * workspace.InputStride).Clear();
            new Span<TReal>(workspace.Totals, workspace.GradStride).Clear();
        }
        long pixel = tile * parameters.Outer.PixelsPerChunk;
        long end = Math.Min(pixel + parameters.Outer.PixelsPerChunk, extent.Pixels);
        while (pixel < end)
        {
            int count = (int)Math.Min(ProjectionBlock.Pixels, end - pixel);
            Stage(in parameters.Outer, in workspace, pixel, count);
            if (sums)
                AddOuter(in workspace, extent.InputChannels, extent.OutputChannels, count);
            if (parameters.WantsInput != 0)
            {
                MultiplyAdjoint(in workspace, extent.InputChannels, extent.OutputChannels, count);
                Finish(in parameters, in workspace, pixel, count);
            }
            pixel += count;
        }
        if (sums)
            Keep(in parameters.Outer, in workspace, tile);
    }

    // The part of a block that lies in one row.
    private static PixelSpan Part(in PointwiseExtent extent, long pixel, int count)
    {
        (long row, long column) = Math.DivRem(pixel, extent.Width);
        return new PixelSpan
        {
            Image = (int)(row / extent.Height),
            Row = (int)(row % extent.Height),
            Column = (int)column,
            Count = (int)Math.Min(count, extent.Width - column),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stage(
        in ProjectionOuterParameters<TStorage, TReal> parameters, in Workspace workspace, long first, int count)
    {
        var input = new MapPointer<TStorage>(in parameters.Input);
        var gradOutput = new MapPointer<TStorage>(in parameters.GradOutput);
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        int inputs = parameters.Extent.InputChannels;
        PixelSpan part;
        for (int done = 0; done < count; done += part.Count)
        {
            part = Part(in parameters.Extent, first + done, count - done);
            TReal* rows = workspace.Input + (nint)done * workspace.InputStride;
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(
                in gradOutput,
                in part,
                workspace.GradOutput + (nint)done * workspace.GradStride,
                parameters.Extent.OutputChannels,
                workspace.GradStride);
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in input, in part, rows, inputs, workspace.InputStride);
            if (parameters.HasNorm != 0)
            {
                PixelRows<TSimd, TStorage, TReal, TVector>.Normalise(
                    rows, workspace.InputStride, in statistics, in part, inputs);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOuter(in Workspace workspace, int inputs, int outputs, int pixels)
    {
        MatrixProduct<TSimd, TStorage, TReal, TVector>.Multiply(
            workspace.GradOutput,
            1,
            workspace.GradStride,
            workspace.Input,
            MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns,
            workspace.InputStride,
            workspace.Sums,
            workspace.InputStride,
            outputs,
            pixels,
            inputs,
            adds: true);
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            TReal* gradient = workspace.GradOutput + (nint)pixel * workspace.GradStride;
            for (int output = 0; output < outputs; output += TSimd.Lanes)
            {
                TSimd.Store(
                    workspace.Totals + output,
                    TSimd.Add(TSimd.Load(workspace.Totals + output), TSimd.Load(gradient + output)));
            }
        }
    }

    private static void MultiplyAdjoint(in Workspace workspace, int inputs, int outputs, int pixels)
    {
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        MatrixProduct<TSimd, TStorage, TReal, TVector>.Multiply(
            workspace.GradOutput,
            workspace.GradStride,
            1,
            workspace.Matrix,
            (nint)panel * outputs,
            panel,
            workspace.GradInput,
            workspace.InputStride,
            pixels,
            outputs,
            inputs,
            adds: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish(
        in ProjectionBackwardParameters<TStorage, TReal> parameters, in Workspace workspace, long first, int count)
    {
        ref readonly var extent = ref parameters.Outer.Extent;
        var target = new MapPointer<TStorage>(in parameters.GradInput);
        var statistics = new MapPointer<TReal>(in parameters.Outer.Statistics);
        int inputs = extent.InputChannels;
        int stride = workspace.InputStride;
        PixelSpan part;
        for (int done = 0; done < count; done += part.Count)
        {
            part = Part(in extent, first + done, count - done);
            TReal* gradients = workspace.GradInput + (nint)done * stride;
            TReal* staged = workspace.Input + (nint)done * stride;
            if (parameters.Outer.HasNorm != 0)
            {
                PixelRows<TSimd, TStorage, TReal, TVector>.NormaliseBackward(
                    gradients,
                    staged,
                    stride,
                    part.Count,
                    inputs,
                    ViewPointer.Of(parameters.NormWeight),
                    statistics.At(part.Image, 1, part.Row, part.Column),
                    statistics.ColumnStride);
            }
            PixelRows<TSimd, TStorage, TReal, TVector>.StoreOrAdd(
                gradients, staged, stride, in target, in part, inputs, parameters.Accumulate != 0, extent.Pixels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Keep(
        in ProjectionOuterParameters<TStorage, TReal> parameters, in Workspace workspace, long tile)
    {
        int inputs = parameters.Extent.InputChannels;
        int outputs = parameters.Extent.OutputChannels;
        TReal* partials = ViewPointer.Of(parameters.Partials) + tile * ((long)outputs * inputs + outputs);
        for (int output = 0; output < outputs; output++)
        {
            new Span<TReal>(workspace.Sums + (nint)output * workspace.InputStride, inputs)
                .CopyTo(new Span<TReal>(partials + (nint)output * inputs, inputs));
        }
        new Span<TReal>(workspace.Totals, outputs).CopyTo(new Span<TReal>(partials + (nint)outputs * inputs, outputs));
    }

    private readonly struct Workspace
    {
        public readonly TReal* Matrix;
        public readonly TReal* Input;
        public readonly TReal* GradOutput;
        public readonly TReal* GradInput;
        public readonly TReal* Sums;
        public readonly TReal* Totals;
        public readonly int InputStride;
        public readonly int GradStride;

        public Workspace(ref ScratchAllocator scratch, in ProjectionBackwardParameters<TStorage, TReal> parameters)
        {
            int inputs = parameters.Outer.Extent.InputChannels;
            int outputs = parameters.Outer.Extent.OutputChannels;
            InputStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(inputs);
            GradStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(outputs);
            long scratchValues = parameters.WantsInput != 0 ? 1 : 0;
            Matrix = scratch.Take<TReal>(
                scratchValues * outputs * MatrixProduct<TSimd, TStorage, TReal, TVector>.WholePanels(inputs));
            GradInput = scratch.Take<TReal>(scratchValues * ProjectionBlock.Pixels * InputStride);
            Input = scratch.Take<TReal>((long)ProjectionBlock.Pixels * InputStride);
            GradOutput = scratch.Take<TReal>((long)ProjectionBlock.Pixels * GradStride);
            long sums = parameters.WantsParameters != 0 ? 1 : 0;
            Sums = scratch.Take<TReal>(sums * outputs * InputStride);
            Totals = scratch.Take<TReal>(sums * GradStride);
        }
    }
}

/// <summary>The pixels that the backward of a projection works on at a time.</summary>
internal static class ProjectionBlock
{
    /// <summary>A multiple of which the chunks of pixels are.</summary>
    public const int Pixels = 128;
}

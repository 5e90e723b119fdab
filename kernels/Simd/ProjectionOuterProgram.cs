using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU.Runtime;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The sums over pixels behind the parameter gradients, on the CPU. A tile is one chunk of pixels, staged run by run with
/// the channels of every pixel side by side; the sums of the chunk stay in the cache.
/// </summary>
public readonly unsafe struct ProjectionOuterProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<ProjectionOuterParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int RunLength = 64;

    /// <inheritdoc/>
    public static long TileCount(in ProjectionOuterParameters<TStorage, T> parameters) => parameters.Chunks;

    /// <inheritdoc/>
    public static double Operations(in ProjectionOuterParameters<TStorage, T> parameters) =>
        2.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels * parameters.Extent.OutputChannels;

    /// <inheritdoc/>
    public static long ScratchBytes(in ProjectionOuterParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in ProjectionOuterParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        int inputs = parameters.Extent.InputChannels;
        int outputs = parameters.Extent.OutputChannels;
        new Span<T>(workspace.Sums, (outputs + 1) * workspace.InputStride).Clear();
        new Span<T>(workspace.Totals, workspace.GradStride).Clear();
        long pixel = tile * parameters.PixelsPerChunk;
        long end = Math.Min(pixel + parameters.PixelsPerChunk, parameters.Extent.Pixels);
        while (pixel < end)
        {
            var span = Span(in parameters.Extent, pixel, end);
            Stage(in parameters, in span, in workspace);
            Add(in workspace, inputs, outputs, span.Count);
            pixel += span.Count;
        }

        long size = (long)outputs * inputs + outputs;
        var partials = (T*)Unsafe.AsPointer(ref parameters.Partials.LoadEffectiveAddress()) + tile * size;
        for (int output = 0; output < outputs; output++)
        {
            new Span<T>(workspace.Sums + (nint)output * workspace.InputStride, inputs)
                .CopyTo(new Span<T>(partials + (nint)output * inputs, inputs));
        }
        new Span<T>(workspace.Totals, outputs).CopyTo(new Span<T>(partials + (nint)outputs * inputs, outputs));
    }

    // The next pixels of one row.
    private static PixelSpan Span(in PointwiseExtent extent, long pixel, long end)
    {
        (long row, long column) = Math.DivRem(pixel, extent.Width);
        return new PixelSpan
        {
            Image = (int)(row / extent.Height),
            Row = (int)(row % extent.Height),
            Column = (int)column,
            Count = (int)Math.Min(Math.Min(RunLength, extent.Width - column), end - pixel),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stage(
        in ProjectionOuterParameters<TStorage, T> parameters, in PixelSpan span, in Workspace workspace)
    {
        int inputs = parameters.Extent.InputChannels;
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.GradOutput),
            in span,
            workspace.GradOutput,
            parameters.Extent.OutputChannels,
            workspace.GradStride);
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Input), in span, workspace.Input, inputs, workspace.InputStride);
        if (parameters.HasNorm != 0)
        {
            PixelRows<TSimd, TStorage, T, TVector>.Normalise(
                workspace.Input, workspace.InputStride, new MapPointer<T>(in parameters.Statistics), in span, inputs);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(in Workspace workspace, int inputs, int outputs, int pixels)
    {
        int panel = MatrixProduct<TSimd, TStorage, T, TVector>.PanelColumns;
        for (int input = 0; input < inputs; input += panel)
        {
            MatrixProduct<TSimd, TStorage, T, TVector>.MultiplyPanel(
                workspace.GradOutput,
                1,
                workspace.GradStride,
                workspace.Input + input,
                workspace.InputStride,
                workspace.Sums + input,
                workspace.InputStride,
                outputs,
                pixels,
                Math.Min(panel, inputs - input),
                adds: true);
        }
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            T* gradient = workspace.GradOutput + (nint)pixel * workspace.GradStride;
            for (int output = 0; output < outputs; output += TSimd.Lanes)
            {
                TSimd.Store(
                    workspace.Totals + output,
                    TSimd.Add(TSimd.Load(workspace.Totals + output), TSimd.Load(gradient + output)));
            }
        }
    }

    private readonly struct Workspace
    {
        public readonly T* Input;
        public readonly T* GradOutput;
        public readonly T* Sums;
        public readonly T* Totals;
        public readonly int InputStride;
        public readonly int GradStride;

        public Workspace(ref ScratchAllocator scratch, in ProjectionOuterParameters<TStorage, T> parameters)
        {
            InputStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Extent.InputChannels);
            GradStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Extent.OutputChannels);
            Input = scratch.Take<T>((long)RunLength * InputStride);
            GradOutput = scratch.Take<T>((long)RunLength * GradStride);
            Sums = scratch.Take<T>((parameters.Extent.OutputChannels + 1L) * InputStride);
            Totals = scratch.Take<T>(GradStride);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Feature unification on the CPU, a pixel at a time: responses are a product of the channels of its patch with the kernels.
/// </summary>
internal readonly unsafe struct UnificationProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<FeatureUnificationParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    public static long TileCount(in FeatureUnificationParameters<TStorage, TReal> parameters) => parameters.Extent.Pixels;

    public static double Operations(in FeatureUnificationParameters<TStorage, TReal> parameters) =>
        (double)parameters.Extent.Pixels * parameters.Extent.InputChannels * parameters.Extent.OutputChannels
            * (2.0 * parameters.Window * parameters.Window + 24);

    public static long ScratchBytes(in FeatureUnificationParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(in FeatureUnificationParameters<TStorage, TReal> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        int taps = parameters.Window * parameters.Window;
        new Span<TReal>(workspace.Basis, taps * workspace.Softmax.ResponseStride).Clear();
        for (int kernel = 0; kernel < parameters.Extent.OutputChannels; kernel++)
        {
            for (int tap = 0; tap < taps; tap++)
            {
                workspace.Basis[((nint)(kernel / panel) * taps + tap) * panel + kernel % panel] = parameters.Basis.Data[
                    parameters.Basis.Offset(kernel, 0, tap / parameters.Window, tap % parameters.Window)];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in FeatureUnificationParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var span = PixelSpan.Locate(in parameters.Extent, tile, 1);
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        int channels = parameters.Extent.InputChannels;
        int kernels = parameters.Extent.OutputChannels;
        int taps = parameters.Window * parameters.Window;
        LoadPatch(in parameters, in span, in workspace);
        MatrixProduct<TSimd, TStorage, TReal, TVector>.Multiply(
            workspace.Patch,
            1,
            workspace.PatchStride,
            workspace.Basis,
            (nint)panel * taps,
            panel,
            workspace.Softmax.Responses,
            workspace.Softmax.ResponseStride,
            channels,
            taps,
            kernels,
            adds: false);
        workspace.Softmax.Run();
        Average(in workspace.Softmax, workspace.Means);
        var target = new MapPointer<TStorage>(in parameters.Output);
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(workspace.Means, 0, in target, in span, kernels);
    }

    // [tap][channel], divided by the taps on the map; 0 outside.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadPatch(
        in FeatureUnificationParameters<TStorage, TReal> parameters, in PixelSpan span, in Workspace workspace)
    {
        int window = parameters.Window;
        int channels = parameters.Extent.InputChannels;
        var source = new MapPointer<TStorage>(in parameters.Input);
        var share = TSimd.Constant(1.0 / (PatchTaps.OnMap(span.Row, parameters.Extent.Height, window)
            * (double)PatchTaps.OnMap(span.Column, parameters.Extent.Width, window)));
        for (int tap = 0; tap < window * window; tap++)
        {
            int row = span.Row + tap / window - window / 2;
            int column = span.Column + tap % window - window / 2;
            TReal* values = workspace.Patch + (nint)tap * workspace.PatchStride;
            if (row < 0 || row >= parameters.Extent.Height || column < 0 || column >= parameters.Extent.Width)
            {
                new Span<TReal>(values, channels).Clear();
                continue;
            }
            var pixel = new PixelSpan { Image = span.Image, Row = row, Column = column, Count = 1 };
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in source, in pixel, values, channels, workspace.PatchStride);
            for (int channel = 0; channel < channels; channel += TSimd.Lanes)
                TSimd.Store(values + channel, TSimd.Multiply(TSimd.Load(values + channel), share));
        }
    }

    // The mean over channels' of the softmax of every kernel'.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Average(in UnificationSoftmax<TSimd, TStorage, TReal, TVector> softmax, TReal* means)
    {
        var share = TSimd.Constant(1.0 / softmax.Channels);
        for (int kernel = 0; kernel < softmax.Kernels; kernel++)
        {
            TReal* weights = softmax.WeightsOf(kernel);
            var sum = TSimd.Constant(0.0);
            for (int channel = 0; channel < softmax.Channels; channel += TSimd.Lanes)
                sum = TSimd.MultiplyAdd(TSimd.Load(weights + channel), TSimd.Load(softmax.Reciprocals + channel), sum);
            means[kernel] = TSimd.Sum(TSimd.Multiply(sum, share));
        }
    }

    private readonly struct Workspace
    {
        public readonly UnificationSoftmax<TSimd, TStorage, TReal, TVector> Softmax;
        public readonly TReal* Basis;
        public readonly TReal* Patch;
        public readonly TReal* Means;
        public readonly int PatchStride;

        public Workspace(ref ScratchAllocator scratch, in FeatureUnificationParameters<TStorage, TReal> parameters)
        {
            int taps = parameters.Window * parameters.Window;
            int kernels = parameters.Extent.OutputChannels;
            Softmax = new(ref scratch, parameters.Extent.InputChannels, kernels);
            PatchStride = MatrixProduct<TSimd, TStorage, TReal, TVector>.WholeVectors(parameters.Extent.InputChannels);
            Basis = scratch.Take<TReal>((long)taps * Softmax.ResponseStride);
            Patch = scratch.Take<TReal>((long)taps * PatchStride);
            Means = scratch.Take<TReal>(PixelRows<TSimd, TStorage, TReal, TVector>.Stride(kernels));
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// LayerNorm and a linear map in one pass on the CPU. Every thread packs the matrix into panels once; a tile is a run
/// of pixels, staged with their channels side by side, normalised there and multiplied panel by panel.
/// </summary>
internal readonly unsafe struct ProjectionProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<ProjectionParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int PreferredLength = 48;

    // The input channels that are worked at a time, so that a panel of the matrix stays in the first-level cache.
    private const int DepthChunk = 64;

    public static long TileCount(in ProjectionParameters<TStorage, TReal> parameters) =>
        parameters.Extent.Runs(Length(in parameters));

    public static double Operations(in ProjectionParameters<TStorage, TReal> parameters) =>
        2.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels * (parameters.Extent.OutputChannels + 4.0);

    public static long ScratchBytes(in ProjectionParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters, Length(in parameters));
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(in ProjectionParameters<TStorage, TReal> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, Length(in parameters));
        MatrixProduct<TSimd, TStorage, TReal, TVector>.Pack(
            ViewPointer.Of(parameters.Weight),
            (nint)parameters.WeightRowStride,
            (nint)parameters.WeightColumnStride,
            parameters.Extent.OutputChannels,
            parameters.Extent.InputChannels,
            workspace.Matrix);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in ProjectionParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        int length = Length(in parameters);
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, length);
        var span = PixelSpan.Locate(in parameters.Extent, tile, length);
        int inputs = parameters.Extent.InputChannels;
        int outputs = parameters.Extent.OutputChannels;
        var source = new MapPointer<TStorage>(in parameters.Input);
        var target = new MapPointer<TStorage>(in parameters.Output);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(
            in source, in span, workspace.Input, inputs, workspace.InputStride);
        if (parameters.HasNorm != 0)
        {
            PixelRows<TSimd, TStorage, TReal, TVector>.LayerNorm(
                workspace.Input,
                workspace.InputStride,
                in span,
                inputs,
                new PixelNorm<TReal>(
                    parameters.NormWeight, parameters.NormBias, parameters.Epsilon, in parameters.Statistics),
                workspace.Statistics);
        }
        bool adds = Prepare(in parameters, in target, in span, in workspace);
        bool streams = parameters.Accumulate == 0
            && PixelRows<TSimd, TStorage, TReal, TVector>.Streams(in target, parameters.Extent.Pixels * outputs);
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        for (int input = 0; input < inputs; input += DepthChunk)
        {
            int depth = Math.Min(DepthChunk, inputs - input);
            MatrixProduct<TSimd, TStorage, TReal, TVector>.Multiply(
                workspace.Input + input,
                workspace.InputStride,
                1,
                workspace.Matrix + (nint)input * panel,
                (nint)panel * inputs,
                panel,
                workspace.Output,
                workspace.OutputStride,
                span.Count,
                depth,
                outputs,
                adds || input > 0);
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Output, workspace.OutputStride, in target, in span, outputs, streams);
    }

    private static int Length(in ProjectionParameters<TStorage, TReal> parameters) =>
        PixelSpan.EvenLength(in parameters.Extent, PreferredLength);

    // What the product is added to, if anything: what the output holds, the bias, or both.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Prepare(
        in ProjectionParameters<TStorage, TReal> parameters,
        in MapPointer<TStorage> target,
        in PixelSpan span,
        in Workspace workspace)
    {
        int outputs = parameters.Extent.OutputChannels;
        bool holds = parameters.Accumulate != 0;
        if (holds)
        {
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(
                in target, in span, workspace.Output, outputs, workspace.OutputStride);
        }
        if (parameters.HasBias == 0)
            return holds;
        PixelRows<TSimd, TStorage, TReal, TVector>.SetBias(
            workspace.Output, workspace.OutputStride, span.Count, ViewPointer.Of(parameters.Bias), outputs, holds);
        return true;
    }

    private readonly struct Workspace
    {
        public readonly TReal* Matrix;
        public readonly TReal* Input;
        public readonly TReal* Output;
        public readonly TReal* Statistics;
        public readonly int InputStride;
        public readonly int OutputStride;

        public Workspace(ref ScratchAllocator scratch, in ProjectionParameters<TStorage, TReal> parameters, int length)
        {
            int inputs = parameters.Extent.InputChannels;
            int outputs = parameters.Extent.OutputChannels;
            InputStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(inputs);
            OutputStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(outputs);
            Matrix = scratch.Take<TReal>(
                (long)inputs * MatrixProduct<TSimd, TStorage, TReal, TVector>.WholePanels(outputs));
            Input = scratch.Take<TReal>((long)length * InputStride);
            Output = scratch.Take<TReal>((long)length * OutputStride);
            Statistics = scratch.Take<TReal>(2L * length);
        }
    }
}

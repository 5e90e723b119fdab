using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// A convolution in one pass. Every thread packs the weights into panels once; a tile is a rectangle of the output, whose part of
/// the input is staged with its border, channels side by side, and activated there. Neighbouring taps of a row are then
/// neighbours in memory, so that a row of taps is one product.
/// </summary>
internal readonly unsafe struct ConvolutionProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<ConvolutionParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    // The inputs of a product that are worked at a time, so that a panel of the weights stays in the first-level cache.
    private const int DepthChunk = 64;

    public static long TileCount(in ConvolutionParameters<TStorage, TReal> parameters) =>
        new ConvolutionTiling(in parameters.Extent, parameters.Kernel).Count;

    public static double Operations(in ConvolutionParameters<TStorage, TReal> parameters) =>
        2.0 * parameters.Extent.Pixels * parameters.Extent.OutputChannels * parameters.Extent.InputChannels
            * parameters.Kernel * parameters.Kernel;

    public static long ScratchBytes(in ConvolutionParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(in ConvolutionParameters<TStorage, TReal> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        workspace.Input.Begin();
        Pack(in parameters, in workspace);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in ConvolutionParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var block = new ConvolutionTiling(in parameters.Extent, parameters.Kernel)[tile];
        workspace.Input.Load(in parameters, in block);
        var target = new MapPointer<TStorage>(in parameters.Output);
        bool adds = Prepare(in parameters, in block, in workspace);
        Multiply(in parameters, in block, in workspace, adds);
        bool streams = parameters.HasInitial == 0 && PixelRows<TSimd, TStorage, TReal, TVector>.Streams(
            in target, parameters.Extent.Pixels * parameters.Extent.OutputChannels);
        for (int row = 0; row < block.Rows; row++)
        {
            var span = block.RowOf(row);
            PixelRows<TSimd, TStorage, TReal, TVector>.Store(
                workspace.OutputRow(row, in block),
                workspace.OutputStride,
                in target,
                in span,
                parameters.Extent.OutputChannels,
                streams);
        }
    }

    // Weights as [panel][row of taps][depth][output of the panel]; inputs between the last channel and the next tap weigh nothing.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pack(in ConvolutionParameters<TStorage, TReal> parameters, in Workspace workspace)
    {
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        int outputs = parameters.Extent.OutputChannels;
        TReal* weight = ViewPointer.Of(parameters.Weight) + parameters.WeightOrigin;
        TReal* packed = workspace.Weights;
        new Span<TReal>(packed, checked(workspace.PanelSize * ((outputs + panel - 1) / panel))).Clear();
        for (int first = 0; first < outputs; first += panel)
        {
            int count = Math.Min(panel, outputs - first);
            for (int tap = 0; tap < parameters.Kernel * parameters.Kernel; tap++)
            {
                TReal* source = weight + first * parameters.WeightOutputStride
                    + tap / parameters.Kernel * parameters.WeightRowStride
                    + tap % parameters.Kernel * parameters.WeightColumnStride;
                TReal* rows = packed + (nint)tap * workspace.Input.Stride * panel;
                for (int input = 0; input < parameters.Extent.InputChannels; input++)
                {
                    StridedCopy.Gather(
                        source + input * parameters.WeightInputStride,
                        (nint)parameters.WeightOutputStride,
                        rows + (nint)input * panel,
                        count);
                }
            }
            packed += workspace.PanelSize;
        }
    }

    // What the products are added to, if anything.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Prepare(
        in ConvolutionParameters<TStorage, TReal> parameters, in ConvolutionBlock block, in Workspace workspace)
    {
        bool hasInitial = parameters.HasInitial != 0;
        bool hasBias = parameters.HasBias != 0;
        if (!hasInitial && !hasBias)
            return false;
        int outputs = parameters.Extent.OutputChannels;
        var initial = new MapPointer<TStorage>(in parameters.Initial);
        for (int row = 0; row < block.Rows; row++)
        {
            TReal* pixels = workspace.OutputRow(row, in block);
            if (hasInitial)
            {
                var span = block.RowOf(row);
                PixelRows<TSimd, TStorage, TReal, TVector>.Load(in initial, in span, pixels, outputs, workspace.OutputStride);
            }
            if (hasBias)
            {
                PixelRows<TSimd, TStorage, TReal, TVector>.SetBias(
                    pixels, workspace.OutputStride, block.Columns, ViewPointer.Of(parameters.Bias), outputs, hasInitial);
            }
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(
        in ConvolutionParameters<TStorage, TReal> parameters, in ConvolutionBlock block, in Workspace workspace, bool adds)
    {
        int panel = MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns;
        int outputs = parameters.Extent.OutputChannels;
        int stride = workspace.Input.Stride;
        int runs = parameters.Kernel * (workspace.JoinsTaps ? 1 : parameters.Kernel);
        int taps = workspace.JoinsTaps ? parameters.Kernel : 1;
        int length = (taps - 1) * stride + parameters.Extent.InputChannels;
        for (int column = 0; column < outputs; column += panel)
        {
            TReal* weights = workspace.Weights + (nint)(column / panel) * workspace.PanelSize;
            bool hasSums = adds;
            for (int run = 0; run < runs; run++)
            {
                int tap = run * taps;
                int down = tap / parameters.Kernel * parameters.Dilation;
                int across = tap % parameters.Kernel * parameters.Dilation;
                for (int first = 0; first < length; first += DepthChunk)
                {
                    int depth = Math.Min(DepthChunk, length - first);
                    for (int row = 0; row < block.Rows; row++)
                    {
                        MatrixProduct<TSimd, TStorage, TReal, TVector>.MultiplyPanel(
                            workspace.Input.At(row + down, across) + first,
                            stride,
                            1,
                            weights + ((nint)tap * stride + first) * panel,
                            panel,
                            workspace.OutputRow(row, in block) + column,
                            workspace.OutputStride,
                            block.Columns,
                            depth,
                            Math.Min(panel, outputs - column),
                            hasSums);
                    }
                    hasSums = true;
                }
            }
        }
    }

    private readonly struct Workspace
    {
        public readonly StagedPatch<TSimd, TStorage, TReal, TVector> Input;
        public readonly TReal* Weights;
        public readonly TReal* Output;
        public readonly int OutputStride;
        public readonly int PanelSize;

        // Whether the taps of a row follow each other in memory.
        public readonly bool JoinsTaps;

        public Workspace(ref ScratchAllocator scratch, in ConvolutionParameters<TStorage, TReal> parameters)
        {
            var tiling = new ConvolutionTiling(in parameters.Extent, parameters.Kernel);
            int outputs = MatrixProduct<TSimd, TStorage, TReal, TVector>.WholePanels(parameters.Extent.OutputChannels);
            OutputStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Extent.OutputChannels);
            JoinsTaps = parameters.Dilation == 1;
            Input = new(ref scratch, in parameters, tiling.Rows, tiling.Columns);
            PanelSize = checked(
                parameters.Kernel * parameters.Kernel * Input.Stride
                * MatrixProduct<TSimd, TStorage, TReal, TVector>.PanelColumns);
            Weights = scratch.Take<TReal>((long)parameters.Kernel * parameters.Kernel * Input.Stride * outputs);
            Output = scratch.Take<TReal>((long)tiling.Rows * tiling.Columns * OutputStride);
        }

        public TReal* OutputRow(int row, in ConvolutionBlock block) => Output + (nint)row * block.Columns * OutputStride;
    }
}

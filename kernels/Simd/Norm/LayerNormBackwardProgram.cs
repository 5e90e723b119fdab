using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// LayerNorm's backward as a step of its own on the CPU. A tile is a run of pixels, staged with the channels of every
/// pixel side by side.
/// </summary>
internal readonly unsafe struct LayerNormBackwardProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<LayerNormBackwardParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int PreferredLength = 128;

    public static long TileCount(in LayerNormBackwardParameters<TStorage, TReal> parameters) =>
        parameters.Extent.Runs(Length(in parameters));

    public static double Operations(in LayerNormBackwardParameters<TStorage, TReal> parameters) =>
        16.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels;

    public static long ScratchBytes(in LayerNormBackwardParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters, Length(in parameters));
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in LayerNormBackwardParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        int length = Length(in parameters);
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, length);
        int channels = parameters.Extent.InputChannels;
        int stride = workspace.Stride;
        var span = PixelSpan.Locate(in parameters.Extent, tile, length);
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Gradient), in span, workspace.Gradient, channels, stride);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Input), in span, workspace.Input, channels, stride);
        PixelRows<TSimd, TStorage, TReal, TVector>.Normalise(workspace.Input, stride, in statistics, in span, channels);
        PixelRows<TSimd, TStorage, TReal, TVector>.NormaliseBackward(
            workspace.Gradient,
            workspace.Input,
            stride,
            span.Count,
            channels,
            ViewPointer.Of(parameters.NormWeight),
            statistics.At(span.Image, 1, span.Row, span.Column),
            statistics.ColumnStride);
        PixelRows<TSimd, TStorage, TReal, TVector>.StoreOrAdd(
            workspace.Gradient,
            workspace.Input,
            stride,
            new MapPointer<TStorage>(in parameters.Result),
            in span,
            channels,
            parameters.Accumulate != 0,
            parameters.Extent.Pixels);
    }

    private static int Length(in LayerNormBackwardParameters<TStorage, TReal> parameters) =>
        PixelSpan.EvenLength(in parameters.Extent, PreferredLength);

    private readonly struct Workspace
    {
        public readonly TReal* Gradient;
        public readonly TReal* Input;
        public readonly int Stride;

        public Workspace(
            ref ScratchAllocator scratch, in LayerNormBackwardParameters<TStorage, TReal> parameters, int length)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Extent.InputChannels);
            Gradient = scratch.Take<TReal>((long)length * Stride);
            Input = scratch.Take<TReal>((long)length * Stride);
        }
    }
}

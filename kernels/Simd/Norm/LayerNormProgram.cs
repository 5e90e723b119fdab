using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// LayerNorm as a step of its own on the CPU, statistics and normalised features in one pass. A tile is a run of
/// pixels, staged with the channels of every pixel side by side.
/// </summary>
internal readonly unsafe struct LayerNormProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<FeatureNormParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int PreferredLength = 128;

    public static long TileCount(in FeatureNormParameters<TStorage, TReal> parameters) =>
        parameters.Extent.Runs(Length(in parameters));

    public static double Operations(in FeatureNormParameters<TStorage, TReal> parameters) =>
        12.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels;

    public static long ScratchBytes(in FeatureNormParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters, Length(in parameters));
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in FeatureNormParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        int length = Length(in parameters);
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, length);
        var span = PixelSpan.Locate(in parameters.Extent, tile, length);
        var input = new MapPointer<TStorage>(in parameters.Input);
        var result = new MapPointer<TStorage>(in parameters.Result);
        int channels = parameters.Extent.InputChannels;
        bool streams = PixelRows<TSimd, TStorage, TReal, TVector>.Streams(
            in result, parameters.Extent.Pixels * channels);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(in input, in span, workspace.Rows, channels, workspace.Stride);
        PixelRows<TSimd, TStorage, TReal, TVector>.LayerNorm(
            workspace.Rows,
            workspace.Stride,
            in span,
            channels,
            new PixelNorm<TReal>(parameters.Weight, parameters.Bias, parameters.Epsilon, in parameters.Statistics),
            workspace.Statistics);
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Rows, workspace.Stride, in result, in span, channels, streams);
    }

    private static int Length(in FeatureNormParameters<TStorage, TReal> parameters) =>
        PixelSpan.EvenLength(in parameters.Extent, PreferredLength);

    private readonly struct Workspace
    {
        public readonly TReal* Rows;
        public readonly TReal* Statistics;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in FeatureNormParameters<TStorage, TReal> parameters, int length)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Extent.InputChannels);
            Rows = scratch.Take<TReal>((long)length * Stride);
            Statistics = scratch.Take<TReal>(2L * length);
        }
    }
}

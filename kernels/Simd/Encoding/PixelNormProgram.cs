using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>The division of every pixel by a norm over its channels on the CPU, with its statistics.</summary>
internal readonly unsafe struct PixelNormProgram<TSimd, TStorage, TReal, TVector, TRule>
    : ITileProgram<PixelNormParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TRule : struct, IPixelNormRule
{
    private const int Length = 32;

    public static long TileCount(in PixelNormParameters<TStorage, TReal> parameters) => Extent(in parameters).Runs(Length);

    public static double Operations(in PixelNormParameters<TStorage, TReal> parameters) =>
        4.0 * Extent(in parameters).Pixels * parameters.Channels;

    public static long ScratchBytes(in PixelNormParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(in PixelNormParameters<TStorage, TReal> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        PixelNormWeights.Fill(in parameters, workspace.Weight, workspace.Stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PixelNormParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, Length);
        var source = new MapPointer<TStorage>(in parameters.Input);
        var target = new MapPointer<TStorage>(in parameters.Result);
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(in source, in span, workspace.Pixels, parameters.Channels, workspace.Stride);
        TReal count = TReal.CreateTruncating(parameters.Channels);
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            TReal* values = workspace.Pixels + (nint)pixel * workspace.Stride;

            // Sums run over whole vectors.
            new Span<TReal>(values + parameters.Channels, workspace.Stride - parameters.Channels).Clear();
            TReal reciprocal = TRule.Reciprocal(SumOfSquares(values, parameters.Channels), count, parameters.Epsilon);
            TReal* saved = statistics.At(span.Image, 0, span.Row, span.Column + pixel);
            saved[0] = reciprocal;
            saved[statistics.ChannelStride] = TRule.Slope(reciprocal, count, parameters.Epsilon);
            Scale(values, workspace.Weight, parameters.Channels, reciprocal);
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Pixels, workspace.Stride, in target, in span, parameters.Channels);
    }

    private static PointwiseExtent Extent(in PixelNormParameters<TStorage, TReal> parameters) =>
        PointwiseExtent.Of(parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TReal SumOfSquares(TReal* values, int channels)
    {
        var sum = TSimd.Constant(0.0);
        for (int channel = 0; channel < channels; channel += TSimd.Lanes)
        {
            var value = TSimd.Load(values + channel);
            sum = TSimd.MultiplyAdd(value, value, sum);
        }
        return TSimd.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(TReal* values, TReal* weight, int channels, TReal reciprocal)
    {
        var factor = TSimd.Broadcast(reciprocal);
        for (int channel = 0; channel < channels; channel += TSimd.Lanes)
        {
            var scaled = TSimd.Multiply(TSimd.Multiply(TSimd.Load(values + channel), factor), TSimd.Load(weight + channel));
            TSimd.Store(values + channel, scaled);
        }
    }

    private readonly struct Workspace
    {
        public readonly TReal* Pixels;
        public readonly TReal* Weight;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in PixelNormParameters<TStorage, TReal> parameters)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Channels);
            Pixels = scratch.Take<TReal>((long)Length * Stride);
            Weight = scratch.Take<TReal>(Stride);
        }
    }
}

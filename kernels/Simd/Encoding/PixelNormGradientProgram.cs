using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradient of the input of the division by a norm on the CPU, r·(w·g − q·x·⟨w·g, x⟩), and with a weight the sums over a row
/// of its gradient, r·g·x: a tile is a row.
/// </summary>
internal readonly unsafe struct PixelNormGradientProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<PixelNormParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Length = 32;

    public static long TileCount(in PixelNormParameters<TStorage, TReal> parameters) => (long)parameters.Batch * parameters.Height;

    public static double Operations(in PixelNormParameters<TStorage, TReal> parameters) =>
        10.0 * parameters.Batch * parameters.Height * parameters.Width * parameters.Channels;

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
        (long image, long row) = Math.DivRem(tile, parameters.Height);
        var input = new MapPointer<TStorage>(in parameters.Input);
        var gradient = new MapPointer<TStorage>(in parameters.Gradient);
        var target = new MapPointer<TStorage>(in parameters.Result);
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        int channels = parameters.Channels;
        int stride = workspace.Stride;
        new Span<TReal>(workspace.Sums, stride).Clear();
        for (int column = 0; column < parameters.Width; column += Length)
        {
            var span = new PixelSpan
            {
                Image = (int)image,
                Row = (int)row,
                Column = column,
                Count = Math.Min(Length, parameters.Width - column),
            };
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in input, in span, workspace.Values, channels, stride);
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in gradient, in span, workspace.Gradients, channels, stride);
            for (int pixel = 0; pixel < span.Count; pixel++)
            {
                nint at = (nint)pixel * stride;
                TReal* saved = statistics.At(span.Image, 0, span.Row, span.Column + pixel);

                // Sums run over whole vectors.
                new Span<TReal>(workspace.Values + at + channels, stride - channels).Clear();
                new Span<TReal>(workspace.Gradients + at + channels, stride - channels).Clear();
                Differentiate(
                    in workspace,
                    workspace.Values + at,
                    workspace.Gradients + at,
                    channels,
                    saved[0],
                    saved[statistics.ChannelStride]);
            }
            PixelRows<TSimd, TStorage, TReal, TVector>.Store(workspace.Gradients, stride, in target, in span, channels);
        }
        if (parameters.HasWeight == 0)
            return;
        for (int channel = 0; channel < channels; channel++)
            parameters.Sums.Data[parameters.Sums.Offset((int)image, channel, (int)row, 0)] = workspace.Sums[channel];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in Workspace workspace, TReal* values, TReal* gradients, int channels, TReal reciprocal, TReal slope)
    {
        var factor = TSimd.Broadcast(reciprocal);
        var products = TSimd.Constant(0.0);
        for (int channel = 0; channel < channels; channel += TSimd.Lanes)
        {
            var value = TSimd.Load(values + channel);
            var gradient = TSimd.Load(gradients + channel);
            TSimd.Store(
                workspace.Sums + channel,
                TSimd.MultiplyAdd(TSimd.Multiply(gradient, value), factor, TSimd.Load(workspace.Sums + channel)));
            var weighted = TSimd.Multiply(gradient, TSimd.Load(workspace.Weight + channel));
            TSimd.Store(gradients + channel, weighted);
            products = TSimd.MultiplyAdd(weighted, value, products);
        }
        var share = TSimd.Broadcast(slope * TSimd.Sum(products));
        for (int channel = 0; channel < channels; channel += TSimd.Lanes)
        {
            var value = TSimd.Multiply(TSimd.Load(values + channel), share);
            TSimd.Store(
                gradients + channel, TSimd.Multiply(factor, TSimd.Subtract(TSimd.Load(gradients + channel), value)));
        }
    }

    private readonly struct Workspace
    {
        public readonly TReal* Values;
        public readonly TReal* Gradients;
        public readonly TReal* Weight;
        public readonly TReal* Sums;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in PixelNormParameters<TStorage, TReal> parameters)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Channels);
            Values = scratch.Take<TReal>((long)Length * Stride);
            Gradients = scratch.Take<TReal>((long)Length * Stride);
            Weight = scratch.Take<TReal>(Stride);
            Sums = scratch.Take<TReal>(Stride);
        }
    }
}

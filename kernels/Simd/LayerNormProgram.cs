using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU.Runtime;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// LayerNorm as a step of its own on the CPU, statistics and normalised features in one pass. A tile is a run of pixels: in
/// the contiguous format the lanes are pixels, otherwise every pixel is staged with its channels side by side.
/// </summary>
public readonly unsafe struct LayerNormProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<FeatureNormParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int PreferredLength = 64;

    /// <inheritdoc/>
    public static long TileCount(in FeatureNormParameters<TStorage, T> parameters) =>
        parameters.Extent.Runs(Length(in parameters));

    /// <inheritdoc/>
    public static double Operations(in FeatureNormParameters<TStorage, T> parameters) =>
        12.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels;

    /// <inheritdoc/>
    public static long ScratchBytes(in FeatureNormParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters, Length(in parameters));
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in FeatureNormParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        int length = Length(in parameters);
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, length);
        var span = PixelSpan.Locate(in parameters.Extent, tile, length);
        var input = new MapPointer<TStorage>(in parameters.Input);
        var result = new MapPointer<TStorage>(in parameters.Result);
        var weight = (T*)Unsafe.AsPointer(ref parameters.Weight.LoadEffectiveAddress());
        var bias = (T*)Unsafe.AsPointer(ref parameters.Bias.LoadEffectiveAddress());
        if (input.ColumnStride == 1 && result.ColumnStride == 1)
            Planes(in parameters, in input, in result, in span, in workspace, weight, bias);
        else
            Pixels(in parameters, in input, in result, in span, in workspace, weight, bias);

        var statistics = new MapPointer<T>(in parameters.Statistics);
        T* saved = statistics.At(span.Image, 0, span.Row, span.Column);
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            saved[pixel * statistics.ColumnStride] = workspace.Means[pixel];
            saved[pixel * statistics.ColumnStride + statistics.ChannelStride] = workspace.Reciprocals[pixel];
        }
    }

    private static int Length(in FeatureNormParameters<TStorage, T> parameters) =>
        PixelSpan.EvenLength(in parameters.Extent, PreferredLength);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels(
        in FeatureNormParameters<TStorage, T> parameters,
        in MapPointer<TStorage> input,
        in MapPointer<TStorage> result,
        in PixelSpan span,
        in Workspace workspace,
        T* weight,
        T* bias)
    {
        int channels = parameters.Extent.InputChannels;
        int stride = workspace.PixelStride;
        bool streams = result.IsChannelsLast
            && StreamingStores.Pay<TStorage>(parameters.Extent.Pixels * channels)
            && StreamingStores.IsAligned(in result, TSimd.Lanes * sizeof(TStorage));
        PixelRows<TSimd, TStorage, T, TVector>.Load(in input, in span, workspace.Rows, channels, stride);
        PixelRows<TSimd, TStorage, T, TVector>.Measure(
            workspace.Rows, stride, span.Count, channels, parameters.Epsilon, workspace.Means, workspace.Reciprocals);
        PixelRows<TSimd, TStorage, T, TVector>.Apply(
            workspace.Rows, stride, span.Count, channels, weight, bias, workspace.Means, workspace.Reciprocals);
        PixelRows<TSimd, TStorage, T, TVector>.Store(workspace.Rows, stride, in result, in span, channels, streams);
    }

    // Every channel is staged as a row of pixels, so that planes which lie a power of two apart are read only once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Planes(
        in FeatureNormParameters<TStorage, T> parameters,
        in MapPointer<TStorage> input,
        in MapPointer<TStorage> result,
        in PixelSpan span,
        in Workspace workspace,
        T* weight,
        T* bias)
    {
        int channels = parameters.Extent.InputChannels;
        int stride = workspace.ChannelStride;
        TStorage* from = input.At(span.Image, 0, span.Row, span.Column);
        TStorage* to = result.At(span.Image, 0, span.Row, span.Column);
        for (int channel = 0; channel < channels; channel++)
            TSimd.Gather(from + channel * input.ChannelStride, 1, workspace.Rows + (nint)channel * stride, span.Count);
        for (int pixel = 0; pixel < span.Count; pixel += TSimd.Lanes)
        {
            Normalise(
                workspace.Rows + pixel,
                stride,
                channels,
                parameters.Epsilon,
                weight,
                bias,
                workspace.Means + pixel,
                workspace.Reciprocals + pixel);
        }
        for (int channel = 0; channel < channels; channel++)
            TSimd.Scatter(workspace.Rows + (nint)channel * stride, to + channel * result.ChannelStride, 1, span.Count);
    }

    // One vector of pixels.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalise(
        T* rows, int stride, int channels, T epsilon, T* weight, T* bias, T* means, T* reciprocals)
    {
        var count = TSimd.Constant(channels);
        T* end = rows + (nint)channels * stride;
        var sum = TSimd.Constant(0.0);
        for (T* row = rows; row < end; row += stride)
            sum = TSimd.Add(sum, TSimd.Load(row));
        var mean = TSimd.Divide(sum, count);
        var square = TSimd.Constant(0.0);
        for (T* row = rows; row < end; row += stride)
        {
            var centred = TSimd.Subtract(TSimd.Load(row), mean);
            square = TSimd.MultiplyAdd(centred, centred, square);
        }
        var variance = TSimd.Add(TSimd.Divide(square, count), TSimd.Broadcast(epsilon));
        var reciprocal = TSimd.Divide(TSimd.Constant(1.0), TSimd.Sqrt(variance));
        for (T* row = rows; row < end; row += stride)
        {
            var normalised = TSimd.Multiply(TSimd.Subtract(TSimd.Load(row), mean), reciprocal);
            TSimd.Store(row, TSimd.MultiplyAdd(TSimd.Broadcast(*weight++), normalised, TSimd.Broadcast(*bias++)));
        }
        TSimd.Store(means, mean);
        TSimd.Store(reciprocals, reciprocal);
    }

    private readonly struct Workspace
    {
        public readonly T* Rows;
        public readonly T* Means;
        public readonly T* Reciprocals;
        public readonly int PixelStride;
        public readonly int ChannelStride;

        public Workspace(ref ScratchAllocator scratch, in FeatureNormParameters<TStorage, T> parameters, int length)
        {
            int lanes = TSimd.Lanes;
            int channels = parameters.Extent.InputChannels;
            PixelStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(channels);
            ChannelStride = (length + lanes - 1) / lanes * lanes;
            Rows = scratch.Take<T>(Math.Max((long)length * PixelStride, (long)channels * ChannelStride));
            Means = scratch.Take<T>(ChannelStride);
            Reciprocals = scratch.Take<T>(ChannelStride);
        }
    }
}

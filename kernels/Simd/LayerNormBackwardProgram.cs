using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU.Runtime;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// LayerNorm's backward on the CPU. A tile is a run of pixels: in the contiguous format the lanes are pixels and nothing is
/// staged, otherwise every pixel is staged with its channels side by side.
/// </summary>
public readonly unsafe struct LayerNormBackwardProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<LayerNormBackwardParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int PreferredLength = 64;

    /// <inheritdoc/>
    public static long TileCount(in LayerNormBackwardParameters<TStorage, T> parameters) =>
        parameters.Extent.Runs(Length(in parameters));

    /// <inheritdoc/>
    public static double Operations(in LayerNormBackwardParameters<TStorage, T> parameters) =>
        16.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels;

    /// <inheritdoc/>
    public static long ScratchBytes(in LayerNormBackwardParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters, Length(in parameters));
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in LayerNormBackwardParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        if (IsPlanar(in parameters))
        {
            Planes(in parameters, tile);
            return;
        }
        int length = Length(in parameters);
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, length);
        int channels = parameters.Extent.InputChannels;
        int stride = workspace.Stride;
        var span = PixelSpan.Locate(in parameters.Extent, tile, length);
        var result = new MapPointer<TStorage>(in parameters.Result);
        var statistics = new MapPointer<T>(in parameters.Statistics);
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Gradient), in span, workspace.Gradient, channels, stride);
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Input), in span, workspace.Input, channels, stride);
        PixelRows<TSimd, TStorage, T, TVector>.Normalise(workspace.Input, stride, in statistics, in span, channels);
        if (parameters.Accumulate != 0)
            PixelRows<TSimd, TStorage, T, TVector>.Load(in result, in span, workspace.Result, channels, stride);
        else
            new Span<T>(workspace.Result, span.Count * stride).Clear();

        var weight = (T*)Unsafe.AsPointer(ref parameters.NormWeight.LoadEffectiveAddress());
        T* reciprocal = statistics.At(span.Image, 1, span.Row, span.Column);
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            nint row = (nint)pixel * stride;
            Apply(
                workspace.Gradient + row,
                workspace.Input + row,
                weight,
                reciprocal[pixel * statistics.ColumnStride],
                workspace.Result + row,
                channels);
        }
        PixelRows<TSimd, TStorage, T, TVector>.Store(workspace.Result, stride, in result, in span, channels);
    }

    private static bool IsPlanar(in LayerNormBackwardParameters<TStorage, T> parameters) =>
        parameters.Gradient.ColumnStride == 1
            && parameters.Input.ColumnStride == 1
            && parameters.Result.ColumnStride == 1
            && parameters.Statistics.ColumnStride == 1;

    private static int Length(in LayerNormBackwardParameters<TStorage, T> parameters) =>
        PixelSpan.EvenLength(in parameters.Extent, PreferredLength);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Planes(in LayerNormBackwardParameters<TStorage, T> parameters, long tile)
    {
        int lanes = TSimd.Lanes;
        var span = PixelSpan.Locate(in parameters.Extent, tile, Length(in parameters));
        for (int pixel = 0; pixel < span.Count; pixel += lanes)
        {
            var run = span;
            run.Column += pixel;
            run.Count = Math.Min(lanes, span.Count - pixel);
            if (run.Count == lanes)
                OneVector(in parameters, in run);
            else
                OneByOne(in parameters, in run);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneVector(in LayerNormBackwardParameters<TStorage, T> parameters, in PixelSpan span)
    {
        int channels = parameters.Extent.InputChannels;
        var (gradient, input, result, saved) = Pointers(in parameters, in span);
        nint gradientStep = (nint)parameters.Gradient.ChannelStride;
        nint inputStep = (nint)parameters.Input.ChannelStride;
        nint resultStep = (nint)parameters.Result.ChannelStride;
        var weight = (T*)Unsafe.AsPointer(ref parameters.NormWeight.LoadEffectiveAddress());
        var mean = TSimd.Load(saved);
        var reciprocal = TSimd.Load(saved + (nint)parameters.Statistics.ChannelStride);
        var sum = TSimd.Constant(0.0);
        var product = TSimd.Constant(0.0);
        for (int channel = 0; channel < channels; channel++)
        {
            var scaled = TSimd.Multiply(
                TSimd.Broadcast(weight[channel]), TSimd.LoadStorage(gradient + channel * gradientStep));
            var centred = TSimd.Subtract(TSimd.LoadStorage(input + channel * inputStep), mean);
            sum = TSimd.Add(sum, scaled);
            product = TSimd.MultiplyAdd(scaled, centred, product);
        }
        var count = TSimd.Constant(channels);
        sum = TSimd.Divide(sum, count);
        product = TSimd.Multiply(TSimd.Divide(product, count), TSimd.Multiply(reciprocal, reciprocal));
        for (int channel = 0; channel < channels; channel++)
        {
            var scaled = TSimd.Multiply(
                TSimd.Broadcast(weight[channel]), TSimd.LoadStorage(gradient + channel * gradientStep));
            var centred = TSimd.Subtract(TSimd.LoadStorage(input + channel * inputStep), mean);
            var value = TSimd.Multiply(
                reciprocal, TSimd.Subtract(scaled, TSimd.MultiplyAdd(centred, product, sum)));
            if (parameters.Accumulate != 0)
                value = TSimd.Add(value, TSimd.LoadStorage(result + channel * resultStep));
            TSimd.StoreStorage(result + channel * resultStep, value);
        }
    }

    // The pixels of a row that do not fill a vector.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneByOne(in LayerNormBackwardParameters<TStorage, T> parameters, in PixelSpan span)
    {
        int channels = parameters.Extent.InputChannels;
        var (gradient, input, result, saved) = Pointers(in parameters, in span);
        nint gradientStep = (nint)parameters.Gradient.ChannelStride;
        nint inputStep = (nint)parameters.Input.ChannelStride;
        nint resultStep = (nint)parameters.Result.ChannelStride;
        var weight = (T*)Unsafe.AsPointer(ref parameters.NormWeight.LoadEffectiveAddress());
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            T mean = saved[pixel];
            T reciprocal = saved[pixel + (nint)parameters.Statistics.ChannelStride];
            T sum = T.Zero;
            T product = T.Zero;
            for (int channel = 0; channel < channels; channel++)
            {
                T scaled = weight[channel] * TSimd.Widen(gradient[channel * gradientStep + pixel]);
                sum += scaled;
                product += scaled * (TSimd.Widen(input[channel * inputStep + pixel]) - mean);
            }
            sum /= T.CreateTruncating(channels);
            product = product / T.CreateTruncating(channels) * reciprocal * reciprocal;
            for (int channel = 0; channel < channels; channel++)
            {
                T scaled = weight[channel] * TSimd.Widen(gradient[channel * gradientStep + pixel]);
                T centred = TSimd.Widen(input[channel * inputStep + pixel]) - mean;
                T value = reciprocal * (scaled - (centred * product + sum));
                TStorage* to = result + channel * resultStep + pixel;
                *to = TSimd.Narrow(parameters.Accumulate != 0 ? value + TSimd.Widen(*to) : value);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Planar Pointers(in LayerNormBackwardParameters<TStorage, T> parameters, in PixelSpan span) => new(
        new MapPointer<TStorage>(in parameters.Gradient).At(span.Image, 0, span.Row, span.Column),
        new MapPointer<TStorage>(in parameters.Input).At(span.Image, 0, span.Row, span.Column),
        new MapPointer<TStorage>(in parameters.Result).At(span.Image, 0, span.Row, span.Column),
        new MapPointer<T>(in parameters.Statistics).At(span.Image, 0, span.Row, span.Column));

    // result += rstd·(γg − mean(γg) − x̂·mean(γg·x̂)) for one pixel; the gradient is scaled in place.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply(T* gradient, T* normalised, T* weight, T reciprocal, T* result, int channels)
    {
        int lanes = TSimd.Lanes;
        int whole = channels / lanes * lanes;
        T count = T.CreateTruncating(channels);
        var sums = TSimd.Constant(0.0);
        var products = TSimd.Constant(0.0);
        for (int channel = 0; channel < whole; channel += lanes)
        {
            var scaled = TSimd.Multiply(TSimd.Load(weight + channel), TSimd.Load(gradient + channel));
            TSimd.Store(gradient + channel, scaled);
            sums = TSimd.Add(sums, scaled);
            products = TSimd.MultiplyAdd(scaled, TSimd.Load(normalised + channel), products);
        }
        T sum = TSimd.Sum(sums);
        T product = TSimd.Sum(products);
        for (int channel = whole; channel < channels; channel++)
        {
            gradient[channel] *= weight[channel];
            sum += gradient[channel];
            product += gradient[channel] * normalised[channel];
        }
        sum /= count;
        product /= count;

        var sumVector = TSimd.Broadcast(sum);
        var productVector = TSimd.Broadcast(product);
        var factor = TSimd.Broadcast(reciprocal);
        for (int channel = 0; channel < whole; channel += lanes)
        {
            var projected = TSimd.MultiplyAdd(TSimd.Load(normalised + channel), productVector, sumVector);
            var centred = TSimd.Subtract(TSimd.Load(gradient + channel), projected);
            TSimd.Store(result + channel, TSimd.MultiplyAdd(factor, centred, TSimd.Load(result + channel)));
        }
        for (int channel = whole; channel < channels; channel++)
            result[channel] += reciprocal * (gradient[channel] - (normalised[channel] * product + sum));
    }

    private readonly struct Planar(TStorage* gradient, TStorage* input, TStorage* result, T* saved)
    {
        public void Deconstruct(out TStorage* gradientOut, out TStorage* inputOut, out TStorage* resultOut, out T* savedOut)
        {
            gradientOut = gradient;
            inputOut = input;
            resultOut = result;
            savedOut = saved;
        }
    }

    private readonly struct Workspace
    {
        public readonly T* Gradient;
        public readonly T* Input;
        public readonly T* Result;
        public readonly int Stride;

        public Workspace(
            ref ScratchAllocator scratch, in LayerNormBackwardParameters<TStorage, T> parameters, int length)
        {
            Stride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Extent.InputChannels);
            long size = (long)length * Stride;
            Gradient = scratch.Take<T>(size);
            Input = scratch.Take<T>(size);
            Result = scratch.Take<T>(size);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// A run of neighbouring pixels of a row, staged with the channels of every pixel side by side, [pixel][channel],
/// whatever the format of the map.
/// </summary>
internal static unsafe class PixelRows<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    /// <summary>
    /// The elements from one staged pixel to the next: whole panels, so that vectors past the last channel stay in the
    /// row, and one vector more, so that the rows do not all fall on the same lines of the cache.
    /// </summary>
    public static int Stride(int channels) =>
        MatrixProduct<TSimd, TStorage, TReal, TVector>.WholePanels(channels) + TSimd.Lanes;

    /// <summary>Reads a run of a map; what follows the last channel of a row is left as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(in MapPointer<TStorage> map, in PixelSpan span, TReal* rows, int channels, int stride)
    {
        TStorage* source = map.At(span.Image, 0, span.Row, span.Column);
        if (!map.IsChannelsLast)
        {
            TSimd.Transpose(source, map.ChannelStride, rows, stride, channels, span.Count);
            return;
        }
        for (int pixel = 0; pixel < span.Count; pixel++)
            TSimd.Gather(source + pixel * map.ColumnStride, 1, rows + (nint)pixel * stride, channels);
    }

    /// <summary>Writes a bias to every staged pixel, or adds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SetBias(TReal* rows, int stride, int pixels, TReal* bias, int channels, bool adds)
    {
        var values = new Span<TReal>(bias, channels);
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            var row = new Span<TReal>(rows + (nint)pixel * stride, channels);
            if (!adds)
            {
                values.CopyTo(row);
                continue;
            }
            for (int channel = 0; channel < channels; channel++)
                row[channel] += values[channel];
        }
    }

    /// <summary>Writes a run of a map.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(
        TReal* rows, int stride, in MapPointer<TStorage> map, in PixelSpan span, int channels, bool streams = false)
    {
        TStorage* destination = map.At(span.Image, 0, span.Row, span.Column);
        if (!map.IsChannelsLast)
        {
            TSimd.TransposeBack(rows, stride, destination, map.ChannelStride, span.Count, channels, streams);
            if (streams)
                StreamingStores.Complete();
            return;
        }
        if (streams)
        {
            Stream(rows, stride, destination, map.ColumnStride, span.Count, channels);
            return;
        }
        for (int pixel = 0; pixel < span.Count; pixel++)
            TSimd.Scatter(rows + (nint)pixel * stride, destination + pixel * map.ColumnStride, 1, channels);
    }

    /// <summary>Writes all rows of an image of a map, one behind the other.</summary>
    /// <param name="rows">The pixels, row by row.</param>
    /// <param name="stride">The elements from one pixel to the next.</param>
    /// <param name="map">The map, from its first channel that is written.</param>
    /// <param name="image">The image.</param>
    /// <param name="height">Its rows.</param>
    /// <param name="width">Its columns.</param>
    /// <param name="channels">The channels.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void StoreImage(
        TReal* rows, int stride, in MapPointer<TStorage> map, int image, int height, int width, int channels)
    {
        for (int row = 0; row < height; row++)
        {
            var span = new PixelSpan { Image = image, Row = row, Column = 0, Count = width };
            Store(rows, stride, in map, in span, channels);
            rows += (nint)width * stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stream(TReal* rows, int stride, TStorage* destination, nint step, int pixels, int channels)
    {
        int lanes = TSimd.Lanes;
        int pairs = channels / (2 * lanes) * 2 * lanes;
        int whole = channels / lanes * lanes;
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            for (int channel = 0; channel < pairs; channel += 2 * lanes)
                TSimd.StreamStorage(
                    destination + channel, TSimd.Load(rows + channel), TSimd.Load(rows + channel + lanes));
            if (pairs < whole)
                TSimd.StreamStorage(destination + pairs, TSimd.Load(rows + pairs));
            for (int channel = whole; channel < channels; channel++)
                destination[channel] = TSimd.Narrow(rows[channel]);
            rows += stride;
            destination += step;
        }
        StreamingStores.Complete();
    }

    /// <summary>Normalises every pixel with its mean and its reciprocal deviation, where they were saved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Normalise(
        TReal* rows, int stride, in MapPointer<TReal> statistics, in PixelSpan span, int channels)
    {
        TReal* saved = statistics.At(span.Image, 0, span.Row, span.Column);
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            TReal* mean = saved + pixel * statistics.ColumnStride;
            Normalise(rows + (nint)pixel * stride, channels, *mean, mean[statistics.ChannelStride]);
        }
    }

    /// <summary>x = (x − mean)·reciprocal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Normalise(TReal* row, int channels, TReal mean, TReal reciprocal)
    {
        int lanes = TSimd.Lanes;
        var centre = TSimd.Broadcast(mean);
        var factor = TSimd.Broadcast(reciprocal);
        int channel = 0;
        for (; channel + lanes <= channels; channel += lanes)
        {
            TSimd.Store(
                row + channel, TSimd.Multiply(TSimd.Subtract(TSimd.Load(row + channel), centre), factor));
        }
        for (; channel < channels; channel++)
            row[channel] = (row[channel] - mean) * reciprocal;
    }

    /// <summary>
    /// LayerNorm of every staged pixel, weight·(x − mean)·reciprocal + bias; the statistics are saved.
    /// </summary>
    /// <param name="rows">The staged pixels.</param>
    /// <param name="stride">Elements from one staged pixel to the next.</param>
    /// <param name="span">Where they are from.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="norm">Factor, offset, what is added to the variance, and where the statistics go.</param>
    /// <param name="scratchValues">Space for two values a pixel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LayerNorm(
        TReal* rows, int stride, in PixelSpan span, int channels, in PixelNorm<TReal> norm, TReal* scratchValues)
    {
        TReal* means = scratchValues;
        TReal* reciprocals = scratchValues + span.Count;
        Measure(rows, stride, span.Count, channels, norm.Epsilon, means, reciprocals);
        Apply(rows, stride, span.Count, channels, norm.Weight, norm.Bias, means, reciprocals);
        TReal* saved = norm.Statistics.At(span.Image, 0, span.Row, span.Column);
        StridedCopy.Scatter(means, saved, norm.Statistics.ColumnStride, span.Count);
        StridedCopy.Scatter(
            reciprocals, saved + norm.Statistics.ChannelStride, norm.Statistics.ColumnStride, span.Count);
    }

    /// <summary>
    /// Mean and reciprocal deviation of every staged pixel. Each step goes over all pixels, which are independent, so
    /// that the sums of one do not wait for those of another.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Measure(
        TReal* rows, int stride, int pixels, int channels, TReal epsilon, TReal* means, TReal* reciprocals)
    {
        int lanes = TSimd.Lanes;
        int whole = channels / lanes * lanes;
        TReal count = TReal.CreateTruncating(channels);
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            TReal* row = rows + (nint)pixel * stride;
            var sums = TSimd.Constant(0.0);
            for (int channel = 0; channel < whole; channel += lanes)
                sums = TSimd.Add(sums, TSimd.Load(row + channel));
            TReal sum = TSimd.Sum(sums);
            for (int channel = whole; channel < channels; channel++)
                sum += row[channel];
            means[pixel] = sum / count;
        }
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            TReal* row = rows + (nint)pixel * stride;
            TReal mean = means[pixel];
            var centre = TSimd.Broadcast(mean);
            var squares = TSimd.Constant(0.0);
            for (int channel = 0; channel < whole; channel += lanes)
            {
                var centred = TSimd.Subtract(TSimd.Load(row + channel), centre);
                squares = TSimd.MultiplyAdd(centred, centred, squares);
            }
            TReal square = TSimd.Sum(squares);
            for (int channel = whole; channel < channels; channel++)
                square += (row[channel] - mean) * (row[channel] - mean);
            reciprocals[pixel] = TReal.One / TReal.Sqrt(square / count + epsilon);
        }
    }

    /// <summary>x = weight·(x − mean)·reciprocal + bias for every staged pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply(
        TReal* rows, int stride, int pixels, int channels, TReal* weight, TReal* bias, TReal* means, TReal* reciprocals)
    {
        int lanes = TSimd.Lanes;
        int whole = channels / lanes * lanes;
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            TReal* row = rows + (nint)pixel * stride;
            var centre = TSimd.Broadcast(means[pixel]);
            var factor = TSimd.Broadcast(reciprocals[pixel]);
            for (int channel = 0; channel < whole; channel += lanes)
            {
                var normalised = TSimd.Multiply(TSimd.Subtract(TSimd.Load(row + channel), centre), factor);
                TSimd.Store(
                    row + channel,
                    TSimd.MultiplyAdd(TSimd.Load(weight + channel), normalised, TSimd.Load(bias + channel)));
            }
            for (int channel = whole; channel < channels; channel++)
                row[channel] = weight[channel] * ((row[channel] - means[pixel]) * reciprocals[pixel]) + bias[channel];
        }
    }

    /// <summary>
    /// LayerNorm's backward for every staged pixel: the gradients g of the scaled features become those of the
    /// features, rstd·(γg − mean(γg) − x̂·mean(γg·x̂)), in place.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NormaliseBackward(
        TReal* gradients, TReal* normalised, int stride, int pixels, int channels, TReal* weight, TReal* reciprocals, nint reciprocalStride)
    {
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            NormaliseBackward(
                gradients + (nint)pixel * stride,
                normalised + (nint)pixel * stride,
                channels,
                weight,
                reciprocals[pixel * reciprocalStride]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NormaliseBackward(
        TReal* gradient, TReal* normalised, int channels, TReal* weight, TReal reciprocal)
    {
        int lanes = TSimd.Lanes;
        int whole = channels / lanes * lanes;
        TReal count = TReal.CreateTruncating(channels);
        var sums = TSimd.Constant(0.0);
        var products = TSimd.Constant(0.0);
        for (int channel = 0; channel < whole; channel += lanes)
        {
            var scaled = TSimd.Multiply(TSimd.Load(weight + channel), TSimd.Load(gradient + channel));
            TSimd.Store(gradient + channel, scaled);
            sums = TSimd.Add(sums, scaled);
            products = TSimd.MultiplyAdd(scaled, TSimd.Load(normalised + channel), products);
        }
        TReal sum = TSimd.Sum(sums);
        TReal product = TSimd.Sum(products);
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
            TSimd.Store(
                gradient + channel, TSimd.Multiply(factor, TSimd.Subtract(TSimd.Load(gradient + channel), projected)));
        }
        for (int channel = whole; channel < channels; channel++)
            gradient[channel] = reciprocal * (gradient[channel] - (normalised[channel] * product + sum));
    }

    /// <summary>
    /// Writes a run of a map or adds to it, past the caches where the map is large.
    /// </summary>
    /// <param name="rows">The staged pixels.</param>
    /// <param name="scratchValues">Space for as many, for what the map holds.</param>
    /// <param name="stride">Elements from one staged pixel to the next.</param>
    /// <param name="map">The map.</param>
    /// <param name="span">The run.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="adds">Whether the pixels are added to what is there.</param>
    /// <param name="pixels">The pixels of the whole map.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void StoreOrAdd(
        TReal* rows, TReal* scratchValues, int stride, in MapPointer<TStorage> map, in PixelSpan span, int channels, bool adds, long pixels)
    {
        if (adds)
        {
            Load(in map, in span, scratchValues, channels, stride);
            for (int pixel = 0; pixel < span.Count; pixel++)
            {
                nint row = (nint)pixel * stride;
                // Rows are padded to whole vectors.
                for (int channel = 0; channel < channels; channel += TSimd.Lanes)
                {
                    TSimd.Store(
                        rows + row + channel,
                        TSimd.Add(TSimd.Load(rows + row + channel), TSimd.Load(scratchValues + row + channel)));
                }
            }
        }
        Store(rows, stride, in map, in span, channels, !adds && Streams(in map, pixels * channels));
    }

    /// <summary>Whether a map of so many values is large enough to be written past the caches, and can be.</summary>
    public static bool Streams(in MapPointer<TStorage> map, long values) =>
        StreamingStores.IsWorthwhile<TStorage>(values)
            && (!map.IsChannelsLast || StreamingStores.IsAligned(in map, TSimd.Lanes * sizeof(TStorage)));
}

/// <summary>What LayerNorm of staged pixels needs besides them.</summary>
internal readonly unsafe struct PixelNorm<TReal>(
    ArrayView<TReal> weight, ArrayView<TReal> bias, TReal epsilon, in MapView<TReal> statistics)
    where TReal : unmanaged
{
    public readonly TReal* Weight = ViewPointer.Of(weight);
    public readonly TReal* Bias = ViewPointer.Of(bias);
    public readonly TReal Epsilon = epsilon;
    public readonly MapPointer<TReal> Statistics = new(in statistics);
}

/// <summary>A run of neighbouring pixels of a row.</summary>
internal struct PixelSpan
{
    public int Image;
    public int Row;
    public int Column;
    public int Count;

    /// <summary>Finds a run by its number.</summary>
    public static PixelSpan Locate(in PointwiseExtent extent, long run, int length)
    {
        int across = (extent.Width + length - 1) / length;
        (long row, long tile) = Math.DivRem(run, across);
        int column = (int)tile * length;
        return new PixelSpan
        {
            Image = (int)(row / extent.Height),
            Row = (int)(row % extent.Height),
            Column = column,
            Count = Math.Min(length, extent.Width - column),
        };
    }

    /// <summary>The length of runs of about a size that cut a row evenly.</summary>
    public static int EvenLength(in PointwiseExtent extent, int preferred)
    {
        int runs = (extent.Width + preferred - 1) / preferred;
        return (extent.Width + runs - 1) / runs;
    }
}

using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// LayerNorm's backward. A group takes a run of 32 pixels: two sums over the channels of each, then the gradient. A pixel
/// has 32 threads where channels lie side by side and four elsewhere, so that neighbouring threads read what does. Traffic:
/// gradient and input once (their second reading comes from the cache), result once.
/// </summary>
/// <remarks>See <see cref="GroupNormBackward{TElement, TStorage, TReal}"/> for why products are rounded.</remarks>
[RoundedProducts]
internal readonly struct LayerNormBackward<TElement, TStorage, TReal>
    : IKernel<LayerNormBackwardParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private const int MostParts = 32;
    private const int FewestParts = PixelRun.GroupSize / PixelRun.Length;

    public static int GroupSize => PixelRun.GroupSize;

    public static long GroupCount(in LayerNormBackwardParameters<TStorage, TReal> parameters) =>
        parameters.Extent.Runs(PixelRun.Length);

    public static void Execute(in LayerNormBackwardParameters<TStorage, TReal> parameters)
    {
        // Parts of pixels, a pixel further for each, so that those of a pixel lie in different banks.
        var sums = SharedMemory.Allocate<TReal>(PixelRun.Length * (MostParts + 1));
        var products = SharedMemory.Allocate<TReal>(PixelRun.Length * (MostParts + 1));
        var run = PixelRun.Locate(in parameters.Extent, Grid.IdxX);
        int parts = parameters.Input.ChannelStride == 1 ? MostParts : FewestParts;
        int pixelsAtOnce = PixelRun.GroupSize / parts;
        bool channelsFastest = parts == MostParts;
        int part = channelsFastest ? Group.IdxX & (MostParts - 1) : Group.IdxX / PixelRun.Length;
        int firstPixel = channelsFastest ? Group.IdxX / MostParts : Group.IdxX & (PixelRun.Length - 1);
        for (int pixel = firstPixel; pixel < run.Count; pixel += pixelsAtOnce)
            Sum(in parameters, in run, pixel, part, parts, sums, products);
        Group.Barrier();
        if (Group.IdxX < run.Count)
        {
            var count = TElement.FromCount(parameters.Extent.InputChannels);
            sums[Group.IdxX * (MostParts + 1)] = Total(sums, Group.IdxX, parts) / count;
            products[Group.IdxX * (MostParts + 1)] = Total(products, Group.IdxX, parts) / count;
        }
        Group.Barrier();
        for (int pixel = firstPixel; pixel < run.Count; pixel += pixelsAtOnce)
            Write(in parameters, in run, pixel, part, parts, sums, products);
    }

    private static void Sum(
        in LayerNormBackwardParameters<TStorage, TReal> parameters,
        in PixelRun run,
        int pixel,
        int part,
        int parts,
        ArrayView<TReal> sums,
        ArrayView<TReal> products)
    {
        var at = Pixel.Locate(in parameters, in run, pixel);
        var sum = TReal.Zero;
        var product = TReal.Zero;
        for (int channel = part; channel < parameters.Extent.InputChannels; channel += parts)
        {
            var scaled = Scaled(in parameters, at.Gradient, channel);
            sum += scaled;
            product += scaled * Normalised(in parameters, at.Input, channel, at.Mean, at.Deviation);
        }
        sums[pixel * (MostParts + 1) + part] = sum;
        products[pixel * (MostParts + 1) + part] = product;
    }

    private static TReal Total(ArrayView<TReal> sums, int pixel, int parts)
    {
        var sum = TReal.Zero;
        for (int part = 0; part < parts; part++)
            sum += sums[pixel * (MostParts + 1) + part];
        return sum;
    }

    private static void Write(
        in LayerNormBackwardParameters<TStorage, TReal> parameters,
        in PixelRun run,
        int pixel,
        int part,
        int parts,
        ArrayView<TReal> sums,
        ArrayView<TReal> products)
    {
        var at = Pixel.Locate(in parameters, in run, pixel);
        long result = parameters.Result.Offset(run.Image, 0, run.Row, run.Column + pixel);
        var sum = sums[pixel * (MostParts + 1)];
        var product = products[pixel * (MostParts + 1)];
        for (int channel = part; channel < parameters.Extent.InputChannels; channel += parts)
        {
            var normalised = Normalised(in parameters, at.Input, channel, at.Mean, at.Deviation);
            var value = at.Deviation * (Scaled(in parameters, at.Gradient, channel) - sum - normalised * product);
            long place = result + channel * parameters.Result.ChannelStride;
            if (parameters.Accumulate != 0)
                value += TElement.Load(parameters.Result.Data[place]);
            parameters.Result.Data[place] = TElement.Store(value);
        }
    }

    private static TReal Scaled(
        in LayerNormBackwardParameters<TStorage, TReal> parameters, long offset, int channel) =>
        parameters.NormWeight[channel]
            * TElement.Load(parameters.Gradient.Data[offset + channel * parameters.Gradient.ChannelStride]);

    private static TReal Normalised(
        in LayerNormBackwardParameters<TStorage, TReal> parameters,
        long offset,
        int channel,
        TReal mean,
        TReal deviation) =>
        (TElement.Load(parameters.Input.Data[offset + channel * parameters.Input.ChannelStride]) - mean) * deviation;

    /// <summary>Where a pixel is read, and its statistics.</summary>
    private struct Pixel
    {
        public long Gradient;
        public long Input;
        public TReal Mean;
        public TReal Deviation;

        public static Pixel Locate(
            in LayerNormBackwardParameters<TStorage, TReal> parameters, in PixelRun run, int pixel)
        {
            int column = run.Column + pixel;
            long statistics = parameters.Statistics.Offset(run.Image, 0, run.Row, column);
            return new Pixel
            {
                Gradient = parameters.Gradient.Offset(run.Image, 0, run.Row, column),
                Input = parameters.Input.Offset(run.Image, 0, run.Row, column),
                Mean = parameters.Statistics.Data[statistics],
                Deviation = parameters.Statistics.Data[statistics + parameters.Statistics.ChannelStride],
            };
        }
    }
}

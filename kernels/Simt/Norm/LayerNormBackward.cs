using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// LayerNorm's backward. A group takes a run of 32 pixels, four threads a pixel: two sums over the channels, then the
/// gradient. Traffic: gradient and input once (their second reading comes from the cache), result once.
/// </summary>
/// <remarks>See <see cref="GroupNormBackward{TElement, TStorage, TReal}"/> for why products are rounded.</remarks>
[RoundedProducts]
internal readonly struct LayerNormBackward<TElement, TStorage, TReal>
    : IKernel<LayerNormBackwardParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private const int Parts = PixelRun.GroupSize / PixelRun.Length;

    public static int GroupSize => PixelRun.GroupSize;

    public static long GroupCount(in LayerNormBackwardParameters<TStorage, TReal> parameters) =>
        parameters.Extent.Runs(PixelRun.Length);

    public static void Execute(in LayerNormBackwardParameters<TStorage, TReal> parameters)
    {
        var sums = SharedMemory.Allocate<TReal>(PixelRun.GroupSize);
        var products = SharedMemory.Allocate<TReal>(PixelRun.GroupSize);
        var run = PixelRun.Locate(in parameters.Extent, Grid.IdxX);
        int channels = parameters.Extent.InputChannels;
        int pixel = Group.IdxX % PixelRun.Length;
        int part = Group.IdxX / PixelRun.Length;
        bool inside = pixel < run.Count;
        int column = run.Column + (inside ? pixel : 0);
        long gradient = parameters.Gradient.Offset(run.Image, 0, run.Row, column);
        long input = parameters.Input.Offset(run.Image, 0, run.Row, column);
        long result = parameters.Result.Offset(run.Image, 0, run.Row, column);
        long statistics = parameters.Statistics.Offset(run.Image, 0, run.Row, column);
        var mean = parameters.Statistics.Data[statistics];
        var deviation = parameters.Statistics.Data[statistics + parameters.Statistics.ChannelStride];

        var sum = TReal.Zero;
        var product = TReal.Zero;
        for (int channel = part; channel < channels; channel += Parts)
        {
            var scaled = Scaled(in parameters, gradient, channel);
            sum += scaled;
            product += scaled * Normalised(in parameters, input, channel, mean, deviation);
        }
        sums[Group.IdxX] = sum;
        products[Group.IdxX] = product;
        Group.Barrier();

        if (!inside)
            return;
        var count = TElement.FromCount(channels);
        sum = TReal.Zero;
        product = TReal.Zero;
        for (int other = 0; other < Parts; other++)
        {
            sum += sums[other * PixelRun.Length + pixel];
            product += products[other * PixelRun.Length + pixel];
        }
        sum /= count;
        product /= count;
        for (int channel = part; channel < channels; channel += Parts)
        {
            var normalised = Normalised(in parameters, input, channel, mean, deviation);
            var value = deviation * (Scaled(in parameters, gradient, channel) - sum - normalised * product);
            long at = result + channel * parameters.Result.ChannelStride;
            if (parameters.Accumulate != 0)
                value += TElement.Load(parameters.Result.Data[at]);
            parameters.Result.Data[at] = TElement.Store(value);
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
}

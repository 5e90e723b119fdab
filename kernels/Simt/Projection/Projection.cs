using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// LayerNorm and a linear map in one pass. A group takes a run of 32 pixels: four threads a pixel find mean and
/// deviation; then the normalised run passes through shared memory, 32 channels at a time, and every thread keeps
/// 4 outputs × 4 pixels in registers: sixteen multiply-adds for one vector and four scalar loads.
/// </summary>
/// <remarks>
/// Traffic to main memory: input and output once; the rereads of the input for the deviation and for output channels
/// past the first 64 are served by the cache.
/// </remarks>
internal readonly struct Projection<TElement, TStorage, TReal, TInputAccess, TOutputAccess>
    : IKernel<ProjectionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TInputAccess : struct, IChannelAccess
    where TOutputAccess : struct, IChannelAccess
{
    private const int ChannelsPerStep = 32;
    private const int PixelPacks = PixelRun.Length / 4;
    private const int OutputsPerBlock = PixelRun.GroupSize / PixelPacks * 4;

    public static int GroupSize => PixelRun.GroupSize;

    public static long GroupCount(in ProjectionParameters<TStorage, TReal> parameters) =>
        parameters.Extent.Runs(PixelRun.Length);

    public static void Execute(in ProjectionParameters<TStorage, TReal> parameters)
    {
        var staged = SharedMemory.Allocate<Pack4<TReal>>(ChannelsPerStep * PixelPacks).AsAligned(16);
        var mean = SharedMemory.Allocate<TReal>(PixelRun.Length);
        var deviation = SharedMemory.Allocate<TReal>(PixelRun.Length);
        var partial = SharedMemory.Allocate<TReal>(PixelRun.GroupSize);
        var run = PixelRun.Locate(in parameters.Extent, Grid.IdxX);
        if (parameters.HasNorm != 0)
            FindStatistics(in parameters, in run, partial, mean, deviation);

        int pack = Group.IdxX % PixelPacks;
        int outputs = parameters.Extent.OutputChannels;
        for (int block = 0; block < outputs; block += OutputsPerBlock)
        {
            int output = block + Group.IdxX / PixelPacks * 4;
            var a = default(Pack4<TReal>);
            var b = default(Pack4<TReal>);
            var c = default(Pack4<TReal>);
            var d = default(Pack4<TReal>);
            long rowA = Row(output, outputs) * parameters.WeightRowStride;
            long rowB = Row(output + 1, outputs) * parameters.WeightRowStride;
            long rowC = Row(output + 2, outputs) * parameters.WeightRowStride;
            long rowD = Row(output + 3, outputs) * parameters.WeightRowStride;
            for (int first = 0; first < parameters.Extent.InputChannels; first += ChannelsPerStep)
            {
                Stage(in parameters, in run, first, mean, deviation, staged.Cast<TReal>());
                Group.Barrier();
                int count = parameters.Extent.InputChannels - first;
                count = count < ChannelsPerStep ? count : ChannelsPerStep;
                int at = pack;
                for (int left = count; left > 0; left--)
                {
                    var x = staged[at];
                    a = Pack4.MultiplyAdd(parameters.Weight[rowA], x, a);
                    b = Pack4.MultiplyAdd(parameters.Weight[rowB], x, b);
                    c = Pack4.MultiplyAdd(parameters.Weight[rowC], x, c);
                    d = Pack4.MultiplyAdd(parameters.Weight[rowD], x, d);
                    rowA += parameters.WeightColumnStride;
                    rowB += parameters.WeightColumnStride;
                    rowC += parameters.WeightColumnStride;
                    rowD += parameters.WeightColumnStride;
                    at += PixelPacks;
                }
                Group.Barrier();
            }
            if (output < outputs)
            {
                var bias = Bias(in parameters, output);
                int pixel = pack * 4;
                Write(in parameters, in run, pixel, output, a.X, b.X, c.X, d.X, in bias);
                Write(in parameters, in run, pixel + 1, output, a.Y, b.Y, c.Y, d.Y, in bias);
                Write(in parameters, in run, pixel + 2, output, a.Z, b.Z, c.Z, d.Z, in bias);
                Write(in parameters, in run, pixel + 3, output, a.W, b.W, c.W, d.W, in bias);
            }
        }
    }

    // Two passes, mean first: the sum of squares alone would lose its digits where the mean is large.
    private static void FindStatistics(
        in ProjectionParameters<TStorage, TReal> parameters,
        in PixelRun run,
        ArrayView<TReal> partial,
        ArrayView<TReal> mean,
        ArrayView<TReal> deviation)
    {
        int channels = parameters.Extent.InputChannels;
        int pixel = Group.IdxX % PixelRun.Length;
        int part = Group.IdxX / PixelRun.Length;
        int parts = PixelRun.GroupSize / PixelRun.Length;
        bool inside = pixel < run.Count;
        long offset = parameters.Input.Offset(run.Image, 0, run.Row, run.Column + (inside ? pixel : 0));
        var count = TElement.FromCount(channels);

        var sum = TReal.Zero;
        for (int channel = part; channel < channels; channel += parts)
            sum += TElement.Load(parameters.Input.Data[offset + channel * parameters.Input.ChannelStride]);
        partial[Group.IdxX] = sum;
        Group.Barrier();
        if (part == 0)
            mean[pixel] = Total(partial, pixel) / count;
        Group.Barrier();

        sum = TReal.Zero;
        for (int channel = part; channel < channels; channel += parts)
        {
            var centred =
                TElement.Load(parameters.Input.Data[offset + channel * parameters.Input.ChannelStride]) - mean[pixel];
            sum += centred * centred;
        }
        partial[Group.IdxX] = sum;
        Group.Barrier();
        if (part == 0)
        {
            var reciprocal = TReal.One / TReal.Sqrt(Total(partial, pixel) / count + parameters.Epsilon);
            deviation[pixel] = reciprocal;
            if (inside)
            {
                long at = parameters.Statistics.Offset(run.Image, 0, run.Row, run.Column + pixel);
                parameters.Statistics.Data[at] = mean[pixel];
                parameters.Statistics.Data[at + parameters.Statistics.ChannelStride] = reciprocal;
            }
        }
        Group.Barrier();
    }

    private static TReal Total(ArrayView<TReal> partial, int pixel) =>
        partial[pixel] + partial[pixel + PixelRun.Length] + partial[pixel + 2 * PixelRun.Length]
            + partial[pixel + 3 * PixelRun.Length];

    // Pixels past the end of the row are zeros, which are multiplied and not written.
    private static void Stage(
        in ProjectionParameters<TStorage, TReal> parameters,
        in PixelRun run,
        int first,
        ArrayView<TReal> mean,
        ArrayView<TReal> deviation,
        ArrayView<TReal> staged)
    {
        const int Packs = ChannelsPerStep / 4;
        for (int item = Group.IdxX; item < Packs * PixelRun.Length; item += Group.DimX)
        {
            int pixel = TInputAccess.ChannelsFastest ? item / Packs : item % PixelRun.Length;
            int pack = TInputAccess.ChannelsFastest ? item % Packs : item / PixelRun.Length;
            int channel = first + pack * 4;
            int remaining = parameters.Extent.InputChannels - channel;
            var x = default(Pack4<TReal>);
            if (pixel < run.Count && remaining > 0)
            {
                x = TInputAccess.Load<TElement, TStorage, TReal>(
                    in parameters.Input,
                    parameters.Input.Offset(run.Image, channel, run.Row, run.Column + pixel),
                    remaining);
                if (parameters.HasNorm != 0)
                {
                    x.X = Normalise(in parameters, x.X, mean[pixel], deviation[pixel], channel);
                    x.Y = Normalise(in parameters, x.Y, mean[pixel], deviation[pixel], channel + 1);
                    x.Z = Normalise(in parameters, x.Z, mean[pixel], deviation[pixel], channel + 2);
                    x.W = Normalise(in parameters, x.W, mean[pixel], deviation[pixel], channel + 3);
                }
            }
            int at = pack * 4 * PixelRun.Length + pixel;
            staged[at] = x.X;
            staged[at + PixelRun.Length] = x.Y;
            staged[at + 2 * PixelRun.Length] = x.Z;
            staged[at + 3 * PixelRun.Length] = x.W;
        }
    }

    private static TReal Normalise(
        in ProjectionParameters<TStorage, TReal> parameters,
        TReal value,
        TReal mean,
        TReal deviation,
        int channel)
    {
        if (channel >= parameters.Extent.InputChannels)
            return TReal.Zero;
        return (value - mean) * deviation * parameters.NormWeight[channel]
            + parameters.NormBias[channel];
    }

    private static int Row(int output, int outputs) => output < outputs ? output : outputs - 1;

    private static Pack4<TReal> Bias(
        in ProjectionParameters<TStorage, TReal> parameters, int output)
    {
        var bias = default(Pack4<TReal>);
        if (parameters.HasBias != 0)
        {
            int outputs = parameters.Extent.OutputChannels;
            bias.X = parameters.Bias[output];
            bias.Y = parameters.Bias[Row(output + 1, outputs)];
            bias.Z = parameters.Bias[Row(output + 2, outputs)];
            bias.W = parameters.Bias[Row(output + 3, outputs)];
        }
        return bias;
    }

    private static void Write(
        in ProjectionParameters<TStorage, TReal> parameters,
        in PixelRun run,
        int pixel,
        int output,
        TReal a,
        TReal b,
        TReal c,
        TReal d,
        in Pack4<TReal> bias)
    {
        if (pixel >= run.Count)
            return;
        var value = new Pack4<TReal> { X = a + bias.X, Y = b + bias.Y, Z = c + bias.Z, W = d + bias.W };
        long at = parameters.Output.Offset(run.Image, output, run.Row, run.Column + pixel);
        int remaining = parameters.Extent.OutputChannels - output;
        if (parameters.Accumulate != 0)
        {
            var known = TOutputAccess.Load<TElement, TStorage, TReal>(in parameters.Output, at, remaining);
            value = Pack4.MultiplyAdd(TReal.One, known, value);
        }
        TOutputAccess.Store<TElement, TStorage, TReal>(in parameters.Output, at, remaining, in value);
    }
}

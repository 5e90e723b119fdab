using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// LayerNorm and a linear map in one pass. A group takes 64 pixels and 64 outputs: it finds mean and deviation of the
/// pixels; then the normalised pixels and the matrix pass through shared memory, 32 channels at a time, and every thread
/// keeps 8 pixels × 4 outputs in registers: 32 multiply-adds for three vector loads.
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
    private const int OutputsPerBlock = 64;

    // Four more than there are pixels or outputs: what a warp stages then meets two banks at most at a time.
    private const int Pitch = 68;
    private const int PitchPacks = Pitch / 4;
    private const int Unrolled = 4;

    // What four steps read from their first place on.
    private const int MatrixSpan = 3 * PitchPacks + 1;
    private const int PixelSpan = MatrixSpan + 8;

    public static int GroupSize => PixelTile.GroupSize;

    public static long GroupCount(in ProjectionParameters<TStorage, TReal> parameters) =>
        PixelTile.Count(in parameters.Extent) * Blocks(in parameters);

    public static void Execute(in ProjectionParameters<TStorage, TReal> parameters)
    {
        var pixels = SharedMemory.Allocate<Pack4<TReal>>(ChannelsPerStep * PitchPacks).AsAligned(16);
        var matrix = SharedMemory.Allocate<Pack4<TReal>>(ChannelsPerStep * PitchPacks).AsAligned(16);
        var mean = SharedMemory.Allocate<TReal>(PixelTile.Pixels);
        var deviation = SharedMemory.Allocate<TReal>(PixelTile.Pixels);
        var inputs = SharedMemory.Allocate<long>(PixelTile.Pixels);
        var results = SharedMemory.Allocate<long>(PixelTile.Pixels);
        var block = SharedMemory.Allocate<int>(1);
        long tile = Grid.IdxX / Blocks(in parameters);
        long firstPixel = tile * PixelTile.Pixels;
        if (Group.IdxX == 0)
            block[0] = (int)(Grid.IdxX - tile * Blocks(in parameters)) * OutputsPerBlock;
        PixelTile.Locate(in parameters.Extent, firstPixel, in parameters.Input, inputs);
        PixelTile.Locate(in parameters.Extent, firstPixel, in parameters.Output, results);
        Group.Barrier();
        int firstOutput = block[0];
        if (parameters.HasNorm != 0)
        {
            FindStatistics(
                in parameters, firstPixel, firstOutput == 0, inputs, pixels.Cast<TReal>(), mean, deviation);
        }

        // Eight neighbouring threads take neighbouring packs of pixels, each two of them.
        int pack = Group.IdxX & 7;
        int row = Group.IdxX / 8;
        var a = default(ProjectionSums<TReal>);
        var b = default(ProjectionSums<TReal>);
        for (int first = 0; first < parameters.Extent.InputChannels; first += ChannelsPerStep)
        {
            Group.Barrier();
            StagePixels(in parameters, inputs, first, mean, deviation, pixels.Cast<TReal>());
            StageMatrix(in parameters, firstOutput, first, matrix.Cast<TReal>());
            Group.Barrier();
            int x = pack;
            int w = row;
            for (int left = ChannelsPerStep / Unrolled; left > 0; left--)
            {
                Step(ref a, ref b, pixels.SubView(x, PixelSpan), matrix.SubView(w, MatrixSpan), 0);
                Step(ref a, ref b, pixels.SubView(x, PixelSpan), matrix.SubView(w, MatrixSpan), PitchPacks);
                Step(ref a, ref b, pixels.SubView(x, PixelSpan), matrix.SubView(w, MatrixSpan), 2 * PitchPacks);
                Step(ref a, ref b, pixels.SubView(x, PixelSpan), matrix.SubView(w, MatrixSpan), 3 * PitchPacks);
                x += Unrolled * PitchPacks;
                w += Unrolled * PitchPacks;
            }
        }

        int output = firstOutput + 4 * row;
        if (output >= parameters.Extent.OutputChannels)
            return;
        var bias = Bias(in parameters, output);
        Write(in parameters, results, firstPixel, 4 * pack, output, in a, in bias);
        Write(in parameters, results, firstPixel, 4 * pack + PixelTile.Pixels / 2, output, in b, in bias);
    }

    private static int Blocks(in ProjectionParameters<TStorage, TReal> parameters) =>
        (parameters.Extent.OutputChannels + OutputsPerBlock - 1) / OutputsPerBlock;

    private static void Step(
        ref ProjectionSums<TReal> a,
        ref ProjectionSums<TReal> b,
        ArrayView<Pack4<TReal>> pixels,
        ArrayView<Pack4<TReal>> matrix,
        int at)
    {
        var weights = matrix[at];
        a.Add(pixels[at], in weights);
        b.Add(pixels[at + 8], in weights);
    }

    // Two passes, mean first: the sum of squares alone would lose its digits where the mean is large.
    private static void FindStatistics(
        in ProjectionParameters<TStorage, TReal> parameters,
        long firstPixel,
        bool writes,
        ArrayView<long> inputs,
        ArrayView<TReal> partial,
        ArrayView<TReal> mean,
        ArrayView<TReal> deviation)
    {
        var count = TElement.FromCount(parameters.Extent.InputChannels);
        int pixel = Group.IdxX;
        Accumulate(in parameters, inputs, mean, centred: false, partial);
        Group.Barrier();
        if (pixel < PixelTile.Pixels)
            mean[pixel] = Total(partial, pixel) / count;
        Group.Barrier();
        Accumulate(in parameters, inputs, mean, centred: true, partial);
        Group.Barrier();
        if (pixel < PixelTile.Pixels)
        {
            var reciprocal = TReal.One / TReal.Sqrt(Total(partial, pixel) / count + parameters.Epsilon);
            deviation[pixel] = reciprocal;
            if (writes & firstPixel + pixel < parameters.Extent.Pixels)
            {
                long at = PixelPosition.Locate(in parameters.Extent, firstPixel + pixel)
                    .Offset(in parameters.Statistics, 0);
                parameters.Statistics.Data[at] = mean[pixel];
                parameters.Statistics.Data[at + parameters.Statistics.ChannelStride] = reciprocal;
            }
        }

        // Barriers of a condition end it: PoCL's compiler mixes up what goes on behind them otherwise.
        Group.Barrier();
    }

    private static int Parts => TInputAccess.ChannelsFastest ? 8 : PixelTile.GroupSize / PixelTile.Pixels;

    // The sums of the parts of every pixel. Neighbouring threads read what lies side by side.
    private static void Accumulate(
        in ProjectionParameters<TStorage, TReal> parameters,
        ArrayView<long> inputs,
        ArrayView<TReal> mean,
        bool centred,
        ArrayView<TReal> partial)
    {
        int channels = parameters.Extent.InputChannels;
        int part = TInputAccess.ChannelsFastest ? Group.IdxX & (Parts - 1) : Group.IdxX / PixelTile.Pixels;
        int first = TInputAccess.ChannelsFastest ? Group.IdxX / Parts : Group.IdxX & (PixelTile.Pixels - 1);
        for (int pixel = first; pixel < PixelTile.Pixels; pixel += PixelTile.GroupSize / Parts)
        {
            var centre = centred ? mean[pixel] : TReal.Zero;
            long place = inputs[pixel];
            var sum = TReal.Zero;
            for (int channel = 4 * part; channel < channels; channel += 4 * Parts)
            {
                int remaining = channels - channel;
                var x = TInputAccess.Load<TElement, TStorage, TReal>(
                    in parameters.Input, place + channel * parameters.Input.ChannelStride, remaining);
                sum += Term(x.X, centre, centred);
                if (remaining > 1)
                    sum += Term(x.Y, centre, centred);
                if (remaining > 2)
                    sum += Term(x.Z, centre, centred);
                if (remaining > 3)
                    sum += Term(x.W, centre, centred);
            }
            partial[part * Pitch + pixel] = sum;
        }
    }

    private static TReal Term(TReal value, TReal centre, bool centred)
    {
        var difference = value - centre;
        return centred ? difference * difference : value;
    }

    private static TReal Total(ArrayView<TReal> partial, int pixel)
    {
        var sum = partial[pixel];
        for (int part = 1; part < Parts; part++)
            sum += partial[part * Pitch + pixel];
        return sum;
    }

    // Every thread reads four packs at once and then writes them: their times overlap. Channels past the end are zeros.
    private static void StagePixels(
        in ProjectionParameters<TStorage, TReal> parameters,
        ArrayView<long> inputs,
        int first,
        ArrayView<TReal> mean,
        ArrayView<TReal> deviation,
        ArrayView<TReal> staged)
    {
        bool fastest = TInputAccess.ChannelsFastest;
        int pixel = fastest ? (Group.IdxX & 7) + Group.IdxX / 64 * 8 : Group.IdxX & (PixelTile.Pixels - 1);
        int pack = fastest ? Group.IdxX / 8 & 7 : Group.IdxX / PixelTile.Pixels;
        int pixels = fastest ? PixelTile.Pixels / 4 : 0;
        int packs = fastest ? 0 : 2;
        var a = Read(in parameters, inputs[pixel], first + 4 * pack);
        var b = Read(in parameters, inputs[pixel + pixels], first + 4 * (pack + packs));
        var c = Read(in parameters, inputs[pixel + 2 * pixels], first + 4 * (pack + 2 * packs));
        var d = Read(in parameters, inputs[pixel + 3 * pixels], first + 4 * (pack + 3 * packs));
        Stage(in parameters, a, pixel, pack, first, mean, deviation, staged);
        Stage(in parameters, b, pixel + pixels, pack + packs, first, mean, deviation, staged);
        Stage(in parameters, c, pixel + 2 * pixels, pack + 2 * packs, first, mean, deviation, staged);
        Stage(in parameters, d, pixel + 3 * pixels, pack + 3 * packs, first, mean, deviation, staged);
    }

    private static Pack4<TReal> Read(
        in ProjectionParameters<TStorage, TReal> parameters, long place, int channel)
    {
        var x = default(Pack4<TReal>);
        int remaining = parameters.Extent.InputChannels - channel;
        if (remaining > 0)
        {
            x = TInputAccess.Load<TElement, TStorage, TReal>(
                in parameters.Input, place + channel * parameters.Input.ChannelStride, remaining);
        }
        return x;
    }

    private static void Stage(
        in ProjectionParameters<TStorage, TReal> parameters,
        Pack4<TReal> x,
        int pixel,
        int pack,
        int first,
        ArrayView<TReal> mean,
        ArrayView<TReal> deviation,
        ArrayView<TReal> staged)
    {
        if (parameters.HasNorm != 0)
        {
            int channel = first + 4 * pack;
            x.X = Normalise(in parameters, x.X, mean[pixel], deviation[pixel], channel);
            x.Y = Normalise(in parameters, x.Y, mean[pixel], deviation[pixel], channel + 1);
            x.Z = Normalise(in parameters, x.Z, mean[pixel], deviation[pixel], channel + 2);
            x.W = Normalise(in parameters, x.W, mean[pixel], deviation[pixel], channel + 3);
        }
        var target = staged.SubView(pack * 4 * Pitch + pixel, 3 * Pitch + 1);
        target[0] = x.X;
        target[Pitch] = x.Y;
        target[2 * Pitch] = x.Z;
        target[3 * Pitch] = x.W;
    }

    // Neighbouring threads take eight channels of four outputs: 32 different banks, and few sectors of either stride. A
    // thread keeps its channel and takes every fourth output.
    private static void StageMatrix(
        in ProjectionParameters<TStorage, TReal> parameters, int firstOutput, int first, ArrayView<TReal> staged)
    {
        int channel = (Group.IdxX & 7) + Group.IdxX / 32 * 8;
        int output = Group.IdxX / 8 & 3;
        int at = channel * Pitch + output;
        int outputs = first + channel < parameters.Extent.InputChannels
            ? parameters.Extent.OutputChannels - firstOutput - output
            : 0;
        long from = (firstOutput + output) * parameters.WeightRowStride
            + (first + channel) * parameters.WeightColumnStride;
        long step = 4 * parameters.WeightRowStride;
        for (int left = OutputsPerBlock / 16; left > 0; left--)
        {
            var a = ReadWeight(in parameters, from, outputs > 0);
            var b = ReadWeight(in parameters, from + step, outputs > 4);
            var c = ReadWeight(in parameters, from + 2 * step, outputs > 8);
            var d = ReadWeight(in parameters, from + 3 * step, outputs > 12);
            var target = staged.SubView(at, 13);
            target[0] = a;
            target[4] = b;
            target[8] = c;
            target[12] = d;
            from += 4 * step;
            at += 16;
            outputs -= 16;
        }
    }

    private static TReal ReadWeight(in ProjectionParameters<TStorage, TReal> parameters, long from, bool inside)
    {
        var weight = TReal.Zero;
        if (inside)
            weight = parameters.Weight[from];
        return weight;
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
        ArrayView<long> results,
        long firstPixel,
        int pixel,
        int output,
        in ProjectionSums<TReal> sums,
        in Pack4<TReal> bias)
    {
        Write(in parameters, results, firstPixel, pixel, output, in sums.X, in bias);
        Write(in parameters, results, firstPixel, pixel + 1, output, in sums.Y, in bias);
        Write(in parameters, results, firstPixel, pixel + 2, output, in sums.Z, in bias);
        Write(in parameters, results, firstPixel, pixel + 3, output, in sums.W, in bias);
    }

    private static void Write(
        in ProjectionParameters<TStorage, TReal> parameters,
        ArrayView<long> results,
        long firstPixel,
        int pixel,
        int output,
        in Pack4<TReal> sum,
        in Pack4<TReal> bias)
    {
        if (firstPixel + pixel >= parameters.Extent.Pixels)
            return;
        var value = Pack4.MultiplyAdd(TReal.One, in bias, in sum);
        long at = results[pixel] + output * parameters.Output.ChannelStride;
        int remaining = parameters.Extent.OutputChannels - output;
        if (parameters.Accumulate != 0)
        {
            var known = TOutputAccess.Load<TElement, TStorage, TReal>(in parameters.Output, at, remaining);
            value = Pack4.MultiplyAdd(TReal.One, known, value);
        }
        TOutputAccess.Store<TElement, TStorage, TReal>(in parameters.Output, at, remaining, in value);
    }
}

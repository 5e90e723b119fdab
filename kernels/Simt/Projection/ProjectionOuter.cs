using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The sums over pixels behind the parameter gradients. A group owns 64 outputs × 64 inputs of one chunk of pixels and
/// walks the chunk 32 pixels at a time through shared memory; a thread keeps 4 outputs × 8 inputs in registers: 32
/// multiply-adds for three vector loads.
/// </summary>
internal readonly struct ProjectionOuter<TElement, TStorage, TReal, TInputAccess, TGradientAccess>
    : IKernel<ProjectionOuterParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TInputAccess : struct, IChannelAccess
    where TGradientAccess : struct, IChannelAccess
{
    private const int BlockChannels = 64;
    private const int Packs = BlockChannels / 4;
    private const int PixelsPerStep = 32;

    // One pack more than there are: neighbouring pixels then lie in different banks.
    private const int Pitch = Packs + 1;
    private const int Unrolled = 4;

    // What four steps read from their first place on.
    private const int GradientSpan = 3 * Pitch + 1;
    private const int InputSpan = GradientSpan + 8;

    public static int GroupSize => PixelTile.GroupSize;

    public static long GroupCount(in ProjectionOuterParameters<TStorage, TReal> parameters) =>
        (long)parameters.Chunks * Blocks(parameters.Extent.OutputChannels) * Blocks(parameters.Extent.InputChannels);

    public static void Execute(in ProjectionOuterParameters<TStorage, TReal> parameters)
    {
        var gradients = SharedMemory.Allocate<Pack4<TReal>>(PixelsPerStep * Pitch).AsAligned(16);
        var inputs = SharedMemory.Allocate<Pack4<TReal>>(PixelsPerStep * Pitch).AsAligned(16);
        var places = SharedMemory.Allocate<long>(2 * PixelsPerStep);
        var statistics = SharedMemory.Allocate<TReal>(2 * PixelsPerStep);
        var work = SharedMemory.Allocate<int>(3);
        if (Group.IdxX == 0)
        {
            int across = Blocks(parameters.Extent.InputChannels);
            int perChunk = across * Blocks(parameters.Extent.OutputChannels);
            int chunk = Grid.IdxX / perChunk;
            int block = Grid.IdxX - chunk * perChunk;
            int down = block / across;
            work[0] = chunk;
            work[1] = down * BlockChannels;
            work[2] = (block - down * across) * BlockChannels;
        }
        Group.Barrier();
        int firstOutput = work[1];
        int firstInput = work[2];
        int ownOutput = Group.IdxX / 8;
        int ownInput = Group.IdxX & 7;
        bool sumsBias = firstInput == 0 & Group.IdxX < Packs;

        var a = default(ProjectionSums<TReal>);
        var b = default(ProjectionSums<TReal>);
        var bias = default(Pack4<TReal>);
        long firstPixel = (long)work[0] * parameters.PixelsPerChunk;
        long endPixel = Math.Min(firstPixel + parameters.PixelsPerChunk, parameters.Extent.Pixels);
        var position = PixelPosition.Locate(
            in parameters.Extent, Math.Min(firstPixel + (Group.IdxX & (PixelsPerStep - 1)), endPixel - 1));
        for (long pixel = firstPixel; pixel < endPixel; pixel += PixelsPerStep)
        {
            Group.Barrier();
            int count = (int)Math.Min(endPixel - pixel, PixelsPerStep);
            if (Group.IdxX < count)
                Locate(in parameters, in position, places, statistics);
            position = position.Plus(in parameters.Extent, PixelsPerStep);
            Group.Barrier();
            Stage<TGradientAccess>(
                in parameters.GradOutput, places, count, firstOutput, parameters.Extent.OutputChannels, gradients);
            StageInputs(in parameters, places.SubView(PixelsPerStep, PixelsPerStep), statistics, count, firstInput, inputs);
            Group.Barrier();
            int g = ownOutput;
            int x = ownInput;
            for (int left = PixelsPerStep / Unrolled; left > 0; left--)
            {
                Step(ref a, ref b, gradients.SubView(g, GradientSpan), inputs.SubView(x, InputSpan), 0);
                Step(ref a, ref b, gradients.SubView(g, GradientSpan), inputs.SubView(x, InputSpan), Pitch);
                Step(ref a, ref b, gradients.SubView(g, GradientSpan), inputs.SubView(x, InputSpan), 2 * Pitch);
                Step(ref a, ref b, gradients.SubView(g, GradientSpan), inputs.SubView(x, InputSpan), 3 * Pitch);
                g += Unrolled * Pitch;
                x += Unrolled * Pitch;
            }
            if (sumsBias)
            {
                for (int step = 0; step < PixelsPerStep; step++)
                {
                    var gradient = gradients[step * Pitch + Group.IdxX];
                    Pack4.Add(ref bias, TReal.One, in gradient);
                }
            }
        }

        int output = firstOutput + ownOutput * 4;
        int input = firstInput + ownInput * 4;
        WriteRows(in parameters, work[0], output, input, in a);
        WriteRows(in parameters, work[0], output, input + BlockChannels / 2, in b);
        if (sumsBias)
            WriteBias(in parameters, work[0], firstOutput + Group.IdxX * 4, in bias);
    }

    private static int Blocks(int channels) => (channels + BlockChannels - 1) / BlockChannels;

    private static void Step(
        ref ProjectionSums<TReal> a,
        ref ProjectionSums<TReal> b,
        ArrayView<Pack4<TReal>> gradients,
        ArrayView<Pack4<TReal>> inputs,
        int at)
    {
        var gradient = gradients[at];
        a.Add(gradient, inputs[at]);
        b.Add(gradient, inputs[at + 8]);
    }

    private static void Locate(
        in ProjectionOuterParameters<TStorage, TReal> parameters,
        in PixelPosition position,
        ArrayView<long> places,
        ArrayView<TReal> statistics)
    {
        places[Group.IdxX] = position.Offset(in parameters.GradOutput, 0);
        places[PixelsPerStep + Group.IdxX] = position.Offset(in parameters.Input, 0);
        if (parameters.HasNorm != 0)
        {
            long at = position.Offset(in parameters.Statistics, 0);
            statistics[Group.IdxX] = parameters.Statistics.Data[at];
            statistics[PixelsPerStep + Group.IdxX] =
                parameters.Statistics.Data[at + parameters.Statistics.ChannelStride];
        }
    }

    // Pixels and channels past the end are zeros.
    private static void Stage<TAccess>(
        in MapView<TStorage> map,
        ArrayView<long> places,
        int count,
        int firstChannel,
        int channels,
        ArrayView<Pack4<TReal>> staged)
        where TAccess : struct, IChannelAccess
    {
        for (int item = Group.IdxX; item < PixelsPerStep * Packs; item += PixelTile.GroupSize)
        {
            int pixel = Pixel<TAccess>(item);
            int pack = Pack<TAccess>(item);
            staged[pixel * Pitch + pack] = Read<TAccess>(in map, places, pixel, count, firstChannel + 4 * pack, channels);
        }
    }

    private static void StageInputs(
        in ProjectionOuterParameters<TStorage, TReal> parameters,
        ArrayView<long> places,
        ArrayView<TReal> statistics,
        int count,
        int firstChannel,
        ArrayView<Pack4<TReal>> staged)
    {
        for (int item = Group.IdxX; item < PixelsPerStep * Packs; item += PixelTile.GroupSize)
        {
            int pixel = Pixel<TInputAccess>(item);
            int pack = Pack<TInputAccess>(item);
            var x = Read<TInputAccess>(
                in parameters.Input, places, pixel, count, firstChannel + 4 * pack, parameters.Extent.InputChannels);
            if (parameters.HasNorm != 0 & pixel < count)
            {
                var mean = statistics[pixel];
                var deviation = statistics[PixelsPerStep + pixel];
                x.X = (x.X - mean) * deviation;
                x.Y = (x.Y - mean) * deviation;
                x.Z = (x.Z - mean) * deviation;
                x.W = (x.W - mean) * deviation;
            }
            staged[pixel * Pitch + pack] = x;
        }
    }

    private static int Pixel<TAccess>(int item)
        where TAccess : struct, IChannelAccess =>
        TAccess.ChannelsFastest ? item / Packs : item & (PixelsPerStep - 1);

    private static int Pack<TAccess>(int item)
        where TAccess : struct, IChannelAccess =>
        TAccess.ChannelsFastest ? item & (Packs - 1) : item / PixelsPerStep;

    private static Pack4<TReal> Read<TAccess>(
        in MapView<TStorage> map, ArrayView<long> places, int pixel, int count, int channel, int channels)
        where TAccess : struct, IChannelAccess
    {
        var value = default(Pack4<TReal>);
        if (pixel < count & channel < channels)
        {
            value = TAccess.Load<TElement, TStorage, TReal>(
                in map, places[pixel] + channel * map.ChannelStride, channels - channel);
        }
        return value;
    }

    private static long First(in ProjectionOuterParameters<TStorage, TReal> parameters, int chunk) =>
        chunk * ((long)parameters.Extent.OutputChannels * parameters.Extent.InputChannels
            + parameters.Extent.OutputChannels);

    private static void WriteRows(
        in ProjectionOuterParameters<TStorage, TReal> parameters,
        int chunk,
        int output,
        int input,
        in ProjectionSums<TReal> sums)
    {
        WriteRow(in parameters, chunk, output, input, in sums.X);
        WriteRow(in parameters, chunk, output + 1, input, in sums.Y);
        WriteRow(in parameters, chunk, output + 2, input, in sums.Z);
        WriteRow(in parameters, chunk, output + 3, input, in sums.W);
    }

    private static void WriteRow(
        in ProjectionOuterParameters<TStorage, TReal> parameters,
        int chunk,
        int output,
        int input,
        in Pack4<TReal> sums)
    {
        if (output >= parameters.Extent.OutputChannels)
            return;
        int inputs = parameters.Extent.InputChannels;
        long at = First(in parameters, chunk) + (long)output * inputs + input;
        Write(parameters.Partials, at, inputs - input, in sums);
    }

    private static void WriteBias(
        in ProjectionOuterParameters<TStorage, TReal> parameters, int chunk, int output, in Pack4<TReal> bias)
    {
        int outputs = parameters.Extent.OutputChannels;
        long at = First(in parameters, chunk) + (long)outputs * parameters.Extent.InputChannels + output;
        Write(parameters.Partials, at, outputs - output, in bias);
    }

    private static void Write(ArrayView<TReal> partials, long at, int remaining, in Pack4<TReal> values)
    {
        if (remaining > 0)
            partials[at] = values.X;
        if (remaining > 1)
            partials[at + 1] = values.Y;
        if (remaining > 2)
            partials[at + 2] = values.Z;
        if (remaining > 3)
            partials[at + 3] = values.W;
    }
}

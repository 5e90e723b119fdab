using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The sums over pixels behind the parameter gradients. A group owns 32 outputs × 64 inputs of one chunk of pixels and
/// walks the chunk sixteen pixels at a time through shared memory; a thread keeps 4×4 sums in registers: sixteen
/// multiply-adds for two vector loads.
/// </summary>
internal readonly struct ProjectionOuter<TElement, TStorage, TReal>
    : IKernel<ProjectionOuterParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private const int Outputs = 32;
    private const int Inputs = 64;
    private const int PixelsPerStep = 16;

    public static int GroupSize => Outputs * Inputs / 16;

    public static long GroupCount(in ProjectionOuterParameters<TStorage, TReal> parameters) =>
        (long)parameters.Chunks * OutputBlocks(in parameters) * InputBlocks(in parameters);

    public static void Execute(in ProjectionOuterParameters<TStorage, TReal> parameters)
    {
        var gradients = SharedMemory.Allocate<Pack4<TReal>>(PixelsPerStep * Outputs / 4).AsAligned(16);
        var inputs = SharedMemory.Allocate<Pack4<TReal>>(PixelsPerStep * Inputs / 4).AsAligned(16);
        int inputBlocks = InputBlocks(in parameters);
        int block = Grid.IdxX % (OutputBlocks(in parameters) * inputBlocks);
        int chunk = Grid.IdxX / (OutputBlocks(in parameters) * inputBlocks);
        int firstOutput = block / inputBlocks * Outputs;
        int firstInput = block % inputBlocks * Inputs;
        int ownOutput = Group.IdxX / (Inputs / 4);
        int ownInput = Group.IdxX % (Inputs / 4);

        var a = default(Pack4<TReal>);
        var b = default(Pack4<TReal>);
        var c = default(Pack4<TReal>);
        var d = default(Pack4<TReal>);
        var bias = default(Pack4<TReal>);
        long firstPixel = (long)chunk * parameters.PixelsPerChunk;
        long endPixel = firstPixel + parameters.PixelsPerChunk;
        endPixel = endPixel < parameters.Extent.Pixels ? endPixel : parameters.Extent.Pixels;
        var position = PixelPosition.Locate(in parameters.Extent, firstPixel);
        for (long pixel = firstPixel; pixel < endPixel; pixel += PixelsPerStep)
        {
            int count = endPixel - pixel < PixelsPerStep ? (int)(endPixel - pixel) : PixelsPerStep;
            StageGradients(in parameters, in position, count, firstOutput, gradients.Cast<TReal>());
            StageInputs(in parameters, in position, count, firstInput, inputs.Cast<TReal>());
            position = position.Plus(in parameters.Extent, PixelsPerStep);
            Group.Barrier();
            for (int step = 0; step < PixelsPerStep; step++)
            {
                var gradient = gradients[step * (Outputs / 4) + ownOutput];
                var input = inputs[step * (Inputs / 4) + ownInput];
                a = Pack4.MultiplyAdd(gradient.X, input, a);
                b = Pack4.MultiplyAdd(gradient.Y, input, b);
                c = Pack4.MultiplyAdd(gradient.Z, input, c);
                d = Pack4.MultiplyAdd(gradient.W, input, d);
                bias = Pack4.MultiplyAdd(TReal.One, gradient, bias);
            }
            Group.Barrier();
        }

        int output = firstOutput + ownOutput * 4;
        Write(in parameters, chunk, output, firstInput + ownInput * 4, in a, bias.X);
        Write(in parameters, chunk, output + 1, firstInput + ownInput * 4, in b, bias.Y);
        Write(in parameters, chunk, output + 2, firstInput + ownInput * 4, in c, bias.Z);
        Write(in parameters, chunk, output + 3, firstInput + ownInput * 4, in d, bias.W);
    }

    private static int OutputBlocks(in ProjectionOuterParameters<TStorage, TReal> parameters) =>
        (parameters.Extent.OutputChannels + Outputs - 1) / Outputs;

    private static int InputBlocks(in ProjectionOuterParameters<TStorage, TReal> parameters) =>
        (parameters.Extent.InputChannels + Inputs - 1) / Inputs;

    private static void StageGradients(
        in ProjectionOuterParameters<TStorage, TReal> parameters,
        in PixelPosition first,
        int count,
        int firstOutput,
        ArrayView<TReal> staged)
    {
        for (int item = Group.IdxX; item < PixelsPerStep * Outputs; item += Group.DimX)
        {
            int step = item / Outputs;
            int output = firstOutput + item % Outputs;
            var value = TReal.Zero;
            if (step < count && output < parameters.Extent.OutputChannels)
            {
                var pixel = first.Plus(in parameters.Extent, step);
                value = TElement.Load(parameters.GradOutput.Data[pixel.Offset(in parameters.GradOutput, output)]);
            }
            staged[item] = value;
        }
    }

    private static void StageInputs(
        in ProjectionOuterParameters<TStorage, TReal> parameters,
        in PixelPosition first,
        int count,
        int firstInput,
        ArrayView<TReal> staged)
    {
        for (int item = Group.IdxX; item < PixelsPerStep * Inputs; item += Group.DimX)
        {
            int step = item / Inputs;
            int input = firstInput + item % Inputs;
            var value = TReal.Zero;
            if (step < count && input < parameters.Extent.InputChannels)
            {
                var pixel = first.Plus(in parameters.Extent, step);
                value = TElement.Load(parameters.Input.Data[pixel.Offset(in parameters.Input, input)]);
                if (parameters.HasNorm != 0)
                {
                    long at = pixel.Offset(in parameters.Statistics, 0);
                    value = (value - parameters.Statistics.Data[at])
                        * parameters.Statistics.Data[at + parameters.Statistics.ChannelStride];
                }
            }
            staged[item] = value;
        }
    }

    private static void Write(
        in ProjectionOuterParameters<TStorage, TReal> parameters,
        int chunk,
        int output,
        int input,
        in Pack4<TReal> sums,
        TReal bias)
    {
        int outputs = parameters.Extent.OutputChannels;
        int inputs = parameters.Extent.InputChannels;
        if (output >= outputs)
            return;
        long first = chunk * ((long)outputs * inputs + outputs);
        long at = first + (long)output * inputs + input;
        if (input < inputs)
            parameters.Partials[at] = sums.X;
        if (input + 1 < inputs)
            parameters.Partials[at + 1] = sums.Y;
        if (input + 2 < inputs)
            parameters.Partials[at + 2] = sums.Z;
        if (input + 3 < inputs)
            parameters.Partials[at + 3] = sums.W;
        if (input == 0)
            parameters.Partials[first + (long)outputs * inputs + output] = bias;
    }
}

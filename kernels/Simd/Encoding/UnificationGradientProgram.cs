using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>The gradient of the responses of feature unification on the CPU, p·(g − Σ p·g)/C, a pixel at a time.</summary>
internal readonly unsafe struct UnificationGradientProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<UnificationParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    public static long TileCount(in UnificationParameters<TStorage, TReal> parameters) => (long)parameters.Height * parameters.Width;

    public static double Operations(in UnificationParameters<TStorage, TReal> parameters) =>
        30.0 * parameters.Height * parameters.Width * parameters.Channels * parameters.Kernels;

    public static long ScratchBytes(in UnificationParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in UnificationParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        (long row, long column) = Math.DivRem(tile, parameters.Width);
        var pixel = new PixelSpan { Row = (int)row, Column = (int)column, Count = 1 };
        var softmax = workspace.Softmax;
        var responses = new MapPointer<TStorage>(in parameters.Responses);
        var gradient = new MapPointer<TStorage>(in parameters.Gradient);
        var result = new MapPointer<TStorage>(in parameters.Result);
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            var own = pixel with { Image = channel };
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(
                in responses,
                in own,
                softmax.Responses + (nint)channel * softmax.ResponseStride,
                parameters.Kernels,
                softmax.ResponseStride);
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(in gradient, in pixel, workspace.Gradient, parameters.Kernels, 0);
        softmax.Run();
        Differentiate(in softmax, workspace.Gradient);
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            var own = pixel with { Image = channel };
            PixelRows<TSimd, TStorage, TReal, TVector>.Store(
                softmax.Responses + (nint)channel * parameters.Kernels, 0, in result, in own, parameters.Kernels);
        }
    }

    // Into the responses, [kernel'][channel']: vectors that reach into the next kernel' are overwritten by it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(in UnificationSoftmax<TSimd, TStorage, TReal, TVector> softmax, TReal* gradient)
    {
        for (int channel = 0; channel < softmax.Channels; channel += TSimd.Lanes)
        {
            var sum = TSimd.Constant(0.0);
            for (int kernel = 0; kernel < softmax.Kernels; kernel++)
                sum = TSimd.MultiplyAdd(TSimd.Load(softmax.WeightsOf(kernel) + channel), TSimd.Broadcast(gradient[kernel]), sum);
            TSimd.Store(softmax.Means + channel, TSimd.Multiply(sum, TSimd.Load(softmax.Reciprocals + channel)));
        }
        var share = TSimd.Constant(1.0 / softmax.Channels);
        for (int kernel = 0; kernel < softmax.Kernels; kernel++)
        {
            TReal* result = softmax.Responses + (nint)kernel * softmax.Channels;
            TReal* weights = softmax.WeightsOf(kernel);
            var own = TSimd.Broadcast(gradient[kernel]);
            for (int channel = 0; channel < softmax.Channels; channel += TSimd.Lanes)
            {
                var weight = TSimd.Multiply(
                    TSimd.Multiply(TSimd.Load(weights + channel), TSimd.Load(softmax.Reciprocals + channel)), share);
                TSimd.Store(result + channel, TSimd.Multiply(weight, TSimd.Subtract(own, TSimd.Load(softmax.Means + channel))));
            }
        }
    }

    private readonly struct Workspace
    {
        public readonly UnificationSoftmax<TSimd, TStorage, TReal, TVector> Softmax;
        public readonly TReal* Gradient;

        public Workspace(ref ScratchAllocator scratch, in UnificationParameters<TStorage, TReal> parameters)
        {
            Softmax = new(ref scratch, parameters.Channels, parameters.Kernels);
            Gradient = scratch.Take<TReal>(PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Kernels));
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>What is computed of a value, and of the gradient of its function.</summary>
internal interface ISiluStep
{
    /// <summary>Gets whether there is a gradient.</summary>
    static abstract bool IsBackward { get; }
}

/// <summary>x·sigmoid(x).</summary>
internal readonly struct SiluOutput : ISiluStep
{
    public static bool IsBackward => false;
}

/// <summary>g·s·(1 + x·(1 − s)), s = sigmoid(x).</summary>
internal readonly struct SiluGradient : ISiluStep
{
    public static bool IsBackward => true;
}

/// <summary>SiLU or its backward on the CPU, a run of pixels at a time with all their channels.</summary>
internal readonly unsafe struct SiluProgram<TSimd, TStorage, TReal, TVector, TStep> : ITileProgram<PointwiseParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TStep : struct, ISiluStep
{
    private const int Length = 32;

    public static long TileCount(in PointwiseParameters<TStorage> parameters) => Extent(in parameters).Runs(Length);

    public static double Operations(in PointwiseParameters<TStorage> parameters) =>
        24.0 * Extent(in parameters).Pixels * parameters.Channels;

    public static long ScratchBytes(in PointwiseParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointwiseParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, Length);
        int channels = parameters.Channels;
        var source = new MapPointer<TStorage>(in parameters.Input);
        var target = new MapPointer<TStorage>(in parameters.Result);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(in source, in span, workspace.Values, channels, workspace.Stride);
        if (TStep.IsBackward)
        {
            var gradient = new MapPointer<TStorage>(in parameters.Gradient);
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in gradient, in span, workspace.Gradients, channels, workspace.Stride);
        }
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            nint first = (nint)pixel * workspace.Stride;
            for (int channel = 0; channel < channels; channel += TSimd.Lanes)
            {
                TReal* at = workspace.Values + first + channel;
                var value = TSimd.Load(at);
                TSimd.Store(at, TStep.IsBackward
                    ? SiluMath<TSimd, TStorage, TReal, TVector>.Backward(
                        value, TSimd.Load(workspace.Gradients + first + channel))
                    : SiluMath<TSimd, TStorage, TReal, TVector>.Forward(value));
            }
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Values,
            workspace.Stride,
            in target,
            in span,
            channels,
            PixelRows<TSimd, TStorage, TReal, TVector>.Streams(in target, extent.Pixels * channels));
    }

    private static PointwiseExtent Extent(in PointwiseParameters<TStorage> parameters) =>
        PointwiseExtent.Of(parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    private readonly struct Workspace
    {
        public readonly TReal* Values;
        public readonly TReal* Gradients;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in PointwiseParameters<TStorage> parameters)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Channels);
            Values = scratch.Take<TReal>((long)Length * Stride);
            Gradients = scratch.Take<TReal>((long)Length * Stride);
        }
    }
}

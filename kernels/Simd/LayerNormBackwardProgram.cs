using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>LayerNorm's backward on the CPU: a tile is a run of pixels of one vector, with the pixels in the lanes.</summary>
public readonly unsafe struct LayerNormBackwardProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<LayerNormBackwardParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    /// <inheritdoc/>
    public static long TileCount(in LayerNormBackwardParameters<TStorage, T> parameters) =>
        parameters.Extent.Runs(TSimd.Lanes);

    /// <inheritdoc/>
    public static double Operations(in LayerNormBackwardParameters<TStorage, T> parameters) =>
        16.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels;

    /// <inheritdoc/>
    public static long ScratchBytes(in LayerNormBackwardParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in LayerNormBackwardParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        int lanes = TSimd.Lanes;
        int channels = parameters.Extent.InputChannels;
        var span = PixelSpan.Locate(in parameters.Extent, tile, lanes);
        var result = new MapPointer<TStorage>(in parameters.Result);
        PixelTile<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Gradient), in span, workspace.Gradient, channels, lanes);
        PixelTile<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Input), in span, workspace.Input, channels, lanes);
        PixelStatistics<T>.Load(in parameters.Statistics, in span, workspace.Mean, workspace.Reciprocal, lanes);
        PixelTile<TSimd, TStorage, T, TVector>.Normalise(
            workspace.Input, workspace.Mean, workspace.Reciprocal, channels, lanes);
        if (parameters.Accumulate != 0)
            PixelTile<TSimd, TStorage, T, TVector>.Load(in result, in span, workspace.Result, channels, lanes);
        else
            new Span<T>(workspace.Result, channels * lanes).Clear();

        var sum = TSimd.Constant(0.0);
        var product = TSimd.Constant(0.0);
        for (int channel = 0; channel < channels; channel++)
        {
            nint at = (nint)channel * lanes;
            var factor = TSimd.Broadcast(parameters.NormWeight[channel]);
            var scaled = TSimd.Multiply(factor, TSimd.Load(workspace.Gradient + at));
            TSimd.Store(workspace.Gradient + at, scaled);
            sum = TSimd.Add(sum, scaled);
            product = TSimd.MultiplyAdd(scaled, TSimd.Load(workspace.Input + at), product);
        }
        var count = TSimd.Constant(channels);
        sum = TSimd.Divide(sum, count);
        product = TSimd.Divide(product, count);
        var reciprocal = TSimd.Load(workspace.Reciprocal);
        for (int channel = 0; channel < channels; channel++)
        {
            nint at = (nint)channel * lanes;
            var projected = TSimd.MultiplyAdd(TSimd.Load(workspace.Input + at), product, sum);
            var centred = TSimd.Subtract(TSimd.Load(workspace.Gradient + at), projected);
            TSimd.Store(
                workspace.Result + at, TSimd.MultiplyAdd(reciprocal, centred, TSimd.Load(workspace.Result + at)));
        }
        PixelTile<TSimd, TStorage, T, TVector>.Store(workspace.Result, in result, in span, channels, lanes);
    }

    private readonly struct Workspace
    {
        public readonly T* Gradient;
        public readonly T* Input;
        public readonly T* Result;
        public readonly T* Mean;
        public readonly T* Reciprocal;

        public Workspace(ref ScratchAllocator scratch, in LayerNormBackwardParameters<TStorage, T> parameters)
        {
            long size = (long)parameters.Extent.InputChannels * TSimd.Lanes;
            Gradient = scratch.Take<T>(size);
            Input = scratch.Take<T>(size);
            Result = scratch.Take<T>(size);
            Mean = scratch.Take<T>(TSimd.Lanes);
            Reciprocal = scratch.Take<T>(TSimd.Lanes);
        }
    }
}

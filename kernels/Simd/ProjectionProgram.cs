using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU.Runtime;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// LayerNorm and a linear map in one pass on the CPU. A tile is a run of pixels two vectors long, staged once with the
/// pixels in the lanes and normalised there; the product takes eight outputs at a time: sixteen multiply-adds for two
/// vector and eight scalar loads, all accumulators in registers.
/// </summary>
public readonly unsafe struct ProjectionProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<ProjectionParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int OutputsPerStep = 8;

    private static int Length => 2 * TSimd.Lanes;

    /// <inheritdoc/>
    public static long TileCount(in ProjectionParameters<TStorage, T> parameters) => parameters.Extent.Runs(Length);

    /// <inheritdoc/>
    public static double Operations(in ProjectionParameters<TStorage, T> parameters) =>
        2.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels * (parameters.Extent.OutputChannels + 4.0);

    /// <inheritdoc/>
    public static long ScratchBytes(in ProjectionParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in ProjectionParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var span = PixelSpan.Locate(in parameters.Extent, tile, Length);
        int inputs = parameters.Extent.InputChannels;
        int outputs = parameters.Extent.OutputChannels;
        PixelTile<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Input), in span, workspace.Input, inputs, Length);
        if (parameters.HasNorm != 0)
            Normalise(in parameters, in span, in workspace);

        var weight = (T*)Unsafe.AsPointer(ref parameters.Weight.LoadEffectiveAddress());
        var target = new MapPointer<TStorage>(in parameters.Output);
        if (parameters.Accumulate != 0)
            PixelTile<TSimd, TStorage, T, TVector>.Load(in target, in span, workspace.Output, outputs, Length);
        for (int output = 0; output < outputs; output += OutputsPerStep)
            Multiply(in parameters, weight, output, workspace.Input, workspace.Output + (nint)output * Length);
        PixelTile<TSimd, TStorage, T, TVector>.Store(
            workspace.Output, in target, in span, outputs, Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalise(
        in ProjectionParameters<TStorage, T> parameters, in PixelSpan span, in Workspace workspace)
    {
        int channels = parameters.Extent.InputChannels;
        var count = TSimd.Constant(channels);
        for (int pixel = 0; pixel < Length; pixel += TSimd.Lanes)
        {
            T* own = workspace.Input + pixel;
            var sum = TSimd.Constant(0.0);
            for (int channel = 0; channel < channels; channel++)
                sum = TSimd.Add(sum, TSimd.Load(own + (nint)channel * Length));
            var mean = TSimd.Divide(sum, count);
            var squares = TSimd.Constant(0.0);
            for (int channel = 0; channel < channels; channel++)
            {
                var centred = TSimd.Subtract(TSimd.Load(own + (nint)channel * Length), mean);
                squares = TSimd.MultiplyAdd(centred, centred, squares);
            }
            var variance = TSimd.Add(TSimd.Divide(squares, count), TSimd.Broadcast(parameters.Epsilon));
            TSimd.Store(workspace.Mean + pixel, mean);
            TSimd.Store(workspace.Reciprocal + pixel, TSimd.Divide(TSimd.Constant(1.0), TSimd.Sqrt(variance)));
        }
        PixelTile<TSimd, TStorage, T, TVector>.Normalise(
            workspace.Input, workspace.Mean, workspace.Reciprocal, channels, Length);

        for (int channel = 0; channel < channels; channel++)
        {
            var factor = TSimd.Broadcast(parameters.NormWeight[channel]);
            var offset = TSimd.Broadcast(parameters.NormBias[channel]);
            T* row = workspace.Input + (nint)channel * Length;
            TSimd.Store(row, TSimd.MultiplyAdd(factor, TSimd.Load(row), offset));
            TSimd.Store(row + TSimd.Lanes, TSimd.MultiplyAdd(factor, TSimd.Load(row + TSimd.Lanes), offset));
        }

        var statistics = new MapPointer<T>(in parameters.Statistics);
        T* saved = statistics.At(span.Image, 0, span.Row, span.Column);
        StridedCopy.Scatter(workspace.Mean, saved, statistics.ColumnStride, span.Count);
        StridedCopy.Scatter(
            workspace.Reciprocal, saved + statistics.ChannelStride, statistics.ColumnStride, span.Count);
    }

    // Outputs past the last repeat it, into rows of the tile that are not written back.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(
        in ProjectionParameters<TStorage, T> parameters, T* weight, int output, T* input, T* product)
    {
        int lanes = TSimd.Lanes;
        int last = parameters.Extent.OutputChannels - 1;
        var rowStride = (nint)parameters.WeightRowStride;
        var columnStride = (nint)parameters.WeightColumnStride;
        T* r0 = weight + Math.Min(output, last) * rowStride;
        T* r1 = weight + Math.Min(output + 1, last) * rowStride;
        T* r2 = weight + Math.Min(output + 2, last) * rowStride;
        T* r3 = weight + Math.Min(output + 3, last) * rowStride;
        T* r4 = weight + Math.Min(output + 4, last) * rowStride;
        T* r5 = weight + Math.Min(output + 5, last) * rowStride;
        T* r6 = weight + Math.Min(output + 6, last) * rowStride;
        T* r7 = weight + Math.Min(output + 7, last) * rowStride;
        var zero = TSimd.Constant(0.0);
        TVector a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero, a6 = zero, a7 = zero;
        TVector b0 = zero, b1 = zero, b2 = zero, b3 = zero, b4 = zero, b5 = zero, b6 = zero, b7 = zero;
        nint at = 0;
        for (int channel = 0; channel < parameters.Extent.InputChannels; channel++)
        {
            var x = TSimd.Load(input);
            var y = TSimd.Load(input + lanes);
            var w = TSimd.Broadcast(r0[at]);
            a0 = TSimd.MultiplyAdd(w, x, a0);
            b0 = TSimd.MultiplyAdd(w, y, b0);
            w = TSimd.Broadcast(r1[at]);
            a1 = TSimd.MultiplyAdd(w, x, a1);
            b1 = TSimd.MultiplyAdd(w, y, b1);
            w = TSimd.Broadcast(r2[at]);
            a2 = TSimd.MultiplyAdd(w, x, a2);
            b2 = TSimd.MultiplyAdd(w, y, b2);
            w = TSimd.Broadcast(r3[at]);
            a3 = TSimd.MultiplyAdd(w, x, a3);
            b3 = TSimd.MultiplyAdd(w, y, b3);
            w = TSimd.Broadcast(r4[at]);
            a4 = TSimd.MultiplyAdd(w, x, a4);
            b4 = TSimd.MultiplyAdd(w, y, b4);
            w = TSimd.Broadcast(r5[at]);
            a5 = TSimd.MultiplyAdd(w, x, a5);
            b5 = TSimd.MultiplyAdd(w, y, b5);
            w = TSimd.Broadcast(r6[at]);
            a6 = TSimd.MultiplyAdd(w, x, a6);
            b6 = TSimd.MultiplyAdd(w, y, b6);
            w = TSimd.Broadcast(r7[at]);
            a7 = TSimd.MultiplyAdd(w, x, a7);
            b7 = TSimd.MultiplyAdd(w, y, b7);
            input += 2 * lanes;
            at += columnStride;
        }
        Write(in parameters, output, product, 0, a0, b0);
        Write(in parameters, output, product, 1, a1, b1);
        Write(in parameters, output, product, 2, a2, b2);
        Write(in parameters, output, product, 3, a3, b3);
        Write(in parameters, output, product, 4, a4, b4);
        Write(in parameters, output, product, 5, a5, b5);
        Write(in parameters, output, product, 6, a6, b6);
        Write(in parameters, output, product, 7, a7, b7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(
        in ProjectionParameters<TStorage, T> parameters, int output, T* product, int step, TVector a, TVector b)
    {
        if (parameters.HasBias != 0 && output + step < parameters.Extent.OutputChannels)
        {
            var bias = TSimd.Broadcast(parameters.Bias[output + step]);
            a = TSimd.Add(a, bias);
            b = TSimd.Add(b, bias);
        }
        product += (nint)step * Length;
        if (parameters.Accumulate != 0)
        {
            a = TSimd.Add(a, TSimd.Load(product));
            b = TSimd.Add(b, TSimd.Load(product + TSimd.Lanes));
        }
        TSimd.Store(product, a);
        TSimd.Store(product + TSimd.Lanes, b);
    }

    private readonly struct Workspace
    {
        public readonly T* Input;
        public readonly T* Output;
        public readonly T* Mean;
        public readonly T* Reciprocal;

        public Workspace(ref ScratchAllocator scratch, in ProjectionParameters<TStorage, T> parameters)
        {
            int outputs = (parameters.Extent.OutputChannels + OutputsPerStep - 1) / OutputsPerStep * OutputsPerStep;
            Input = scratch.Take<T>((long)parameters.Extent.InputChannels * Length);
            Output = scratch.Take<T>((long)outputs * Length);
            Mean = scratch.Take<T>(Length);
            Reciprocal = scratch.Take<T>(Length);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU.Runtime;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The sums over pixels behind the parameter gradients, on the CPU. A tile is one chunk of pixels, staged run by run
/// with the pixels in the lanes; 4 outputs × 4 inputs are multiplied at a time, sixteen multiply-adds for eight loads,
/// and the lanes are added at the end of a run.
/// </summary>
public readonly unsafe struct ProjectionOuterProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<ProjectionOuterParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int RunLength = 512;

    /// <inheritdoc/>
    public static long TileCount(in ProjectionOuterParameters<TStorage, T> parameters) => parameters.Chunks;

    /// <inheritdoc/>
    public static double Operations(in ProjectionOuterParameters<TStorage, T> parameters) =>
        2.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels * parameters.Extent.OutputChannels;

    /// <inheritdoc/>
    public static long ScratchBytes(in ProjectionOuterParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in ProjectionOuterParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        int inputs = parameters.Extent.InputChannels;
        int outputs = parameters.Extent.OutputChannels;
        long size = (long)outputs * inputs + outputs;
        var partials = (T*)Unsafe.AsPointer(ref parameters.Partials.LoadEffectiveAddress()) + tile * size;
        new Span<T>(partials, (int)size).Clear();
        long pixel = tile * parameters.PixelsPerChunk;
        long end = Math.Min(pixel + parameters.PixelsPerChunk, parameters.Extent.Pixels);
        while (pixel < end)
        {
            var span = Span(in parameters.Extent, pixel, end);
            int length = (span.Count + TSimd.Lanes - 1) / TSimd.Lanes * TSimd.Lanes;
            Stage(in parameters, in span, in workspace, length);
            Add(workspace.GradOutput, workspace.Input, outputs, inputs, length, partials);
            pixel += span.Count;
        }
    }

    // The next pixels of one row.
    private static PixelSpan Span(in PointwiseExtent extent, long pixel, long end)
    {
        (long row, long column) = Math.DivRem(pixel, extent.Width);
        return new PixelSpan
        {
            Image = (int)(row / extent.Height),
            Row = (int)(row % extent.Height),
            Column = (int)column,
            Count = (int)Math.Min(Math.Min(RunLength, extent.Width - column), end - pixel),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stage(
        in ProjectionOuterParameters<TStorage, T> parameters, in PixelSpan span, in Workspace workspace, int length)
    {
        int inputs = parameters.Extent.InputChannels;
        PixelTile<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.GradOutput),
            in span,
            workspace.GradOutput,
            parameters.Extent.OutputChannels,
            length);
        PixelTile<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Input), in span, workspace.Input, inputs, length);
        if (parameters.HasNorm == 0)
            return;
        PixelStatistics<T>.Load(in parameters.Statistics, in span, workspace.Mean, workspace.Reciprocal, length);
        PixelTile<TSimd, TStorage, T, TVector>.Normalise(
            workspace.Input, workspace.Mean, workspace.Reciprocal, inputs, length);
    }

    // Channels past the last repeat it; their products are not kept.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(T* gradOutput, T* input, int outputs, int inputs, int length, T* partials)
    {
        for (int output = 0; output < outputs; output += 4)
        {
            T* g0 = gradOutput + (nint)output * length;
            T* g1 = gradOutput + (nint)Math.Min(output + 1, outputs - 1) * length;
            T* g2 = gradOutput + (nint)Math.Min(output + 2, outputs - 1) * length;
            T* g3 = gradOutput + (nint)Math.Min(output + 3, outputs - 1) * length;
            int outputCount = Math.Min(4, outputs - output);
            for (int channel = 0; channel < inputs; channel += 4)
            {
                FourByFour(
                    g0,
                    g1,
                    g2,
                    g3,
                    input + (nint)channel * length,
                    input + (nint)Math.Min(channel + 1, inputs - 1) * length,
                    input + (nint)Math.Min(channel + 2, inputs - 1) * length,
                    input + (nint)Math.Min(channel + 3, inputs - 1) * length,
                    length,
                    partials + (nint)output * inputs + channel,
                    inputs,
                    outputCount,
                    Math.Min(4, inputs - channel));
            }
            for (int i = 0; i < outputCount; i++)
            {
                var sum = TSimd.Constant(0.0);
                T* row = gradOutput + (nint)(output + i) * length;
                for (int pixel = 0; pixel < length; pixel += TSimd.Lanes)
                    sum = TSimd.Add(sum, TSimd.Load(row + pixel));
                partials[(nint)outputs * inputs + output + i] += TSimd.Sum(sum);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByFour(
        T* g0,
        T* g1,
        T* g2,
        T* g3,
        T* x0,
        T* x1,
        T* x2,
        T* x3,
        int length,
        T* sums,
        nint rowStride,
        int rows,
        int columns)
    {
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        TVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        for (int pixel = 0; pixel < length; pixel += TSimd.Lanes)
        {
            var a = TSimd.Load(x0 + pixel);
            var b = TSimd.Load(x1 + pixel);
            var c = TSimd.Load(x2 + pixel);
            var d = TSimd.Load(x3 + pixel);
            var g = TSimd.Load(g0 + pixel);
            s00 = TSimd.MultiplyAdd(g, a, s00);
            s01 = TSimd.MultiplyAdd(g, b, s01);
            s02 = TSimd.MultiplyAdd(g, c, s02);
            s03 = TSimd.MultiplyAdd(g, d, s03);
            g = TSimd.Load(g1 + pixel);
            s10 = TSimd.MultiplyAdd(g, a, s10);
            s11 = TSimd.MultiplyAdd(g, b, s11);
            s12 = TSimd.MultiplyAdd(g, c, s12);
            s13 = TSimd.MultiplyAdd(g, d, s13);
            g = TSimd.Load(g2 + pixel);
            s20 = TSimd.MultiplyAdd(g, a, s20);
            s21 = TSimd.MultiplyAdd(g, b, s21);
            s22 = TSimd.MultiplyAdd(g, c, s22);
            s23 = TSimd.MultiplyAdd(g, d, s23);
            g = TSimd.Load(g3 + pixel);
            s30 = TSimd.MultiplyAdd(g, a, s30);
            s31 = TSimd.MultiplyAdd(g, b, s31);
            s32 = TSimd.MultiplyAdd(g, c, s32);
            s33 = TSimd.MultiplyAdd(g, d, s33);
        }
        Keep(sums, columns, s00, s01, s02, s03);
        if (rows > 1)
            Keep(sums + rowStride, columns, s10, s11, s12, s13);
        if (rows > 2)
            Keep(sums + 2 * rowStride, columns, s20, s21, s22, s23);
        if (rows > 3)
            Keep(sums + 3 * rowStride, columns, s30, s31, s32, s33);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(T* sums, int columns, TVector a, TVector b, TVector c, TVector d)
    {
        sums[0] += TSimd.Sum(a);
        if (columns > 1)
            sums[1] += TSimd.Sum(b);
        if (columns > 2)
            sums[2] += TSimd.Sum(c);
        if (columns > 3)
            sums[3] += TSimd.Sum(d);
    }

    private readonly struct Workspace
    {
        public readonly T* Input;
        public readonly T* GradOutput;
        public readonly T* Mean;
        public readonly T* Reciprocal;

        public Workspace(ref ScratchAllocator scratch, in ProjectionOuterParameters<TStorage, T> parameters)
        {
            int length = RunLength + TSimd.Lanes;
            Input = scratch.Take<T>((long)parameters.Extent.InputChannels * length);
            GradOutput = scratch.Take<T>((long)parameters.Extent.OutputChannels * length);
            Mean = scratch.Take<T>(length);
            Reciprocal = scratch.Take<T>(length);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>What is made of the similarities of a query's features and the four cells around one of its points.</summary>
/// <typeparam name="T">The type of the arithmetic.</typeparam>
public interface IPointResult<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Gets the values of a point.</summary>
    static abstract int Values { get; }

    /// <summary>Computes them from the similarities upper left, upper right, lower left, lower right.</summary>
    static abstract void Write(in Pack4<T> sums, T down, T across, T weight, ref T result);
}

/// <summary>The similarity at the point itself.</summary>
/// <typeparam name="T">The type of the arithmetic.</typeparam>
public readonly struct PointScore<T> : IPointResult<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public static int Values => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(in Pack4<T> sums, T down, T across, T weight, ref T result)
    {
        T left = T.One - across;
        result = (T.One - down) * (left * sums.X + across * sums.Y) + down * (left * sums.Z + across * sums.W);
    }
}

/// <summary>The weighted derivative along either axis, across before down.</summary>
/// <typeparam name="T">The type of the arithmetic.</typeparam>
public readonly struct PointSlope<T> : IPointResult<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public static int Values => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(in Pack4<T> sums, T down, T across, T weight, ref T result)
    {
        result = weight * ((T.One - down) * (sums.Y - sums.X) + down * (sums.W - sums.Z));
        Unsafe.Add(ref result, 1) = weight * ((T.One - across) * (sums.Z - sums.X) + across * (sums.W - sums.Y));
    }
}

/// <summary>
/// <see cref="PointSimilarity{TElement, TStorage, TAccumulator}"/> and
/// <see cref="PointOffsetGradient{TElement, TStorage, TAccumulator}"/> on the CPU, from a channels-last map: a tile is a run
/// of queries, whose features are multiplied with the cells around each point, with the lanes over channels.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic.</typeparam>
/// <typeparam name="TStorage">The type of the tensors.</typeparam>
/// <typeparam name="T">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="T"/>.</typeparam>
/// <typeparam name="TResult">What is made of the similarities.</typeparam>
public readonly unsafe struct PointSimilarityProgram<TSimd, TStorage, T, TVector, TResult>
    : ITileProgram<PointSamplingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TResult : struct, IPointResult<T>
{
    /// <inheritdoc/>
    public static long TileCount(in PointSamplingParameters<TStorage> parameters) =>
        PointRun<TStorage, T>.Extent(in parameters).Runs(PointRun<TStorage, T>.Length);

    /// <inheritdoc/>
    public static double Operations(in PointSamplingParameters<TStorage> parameters) =>
        PointRun<TStorage, T>.Extent(in parameters).Pixels
            * (double)parameters.Groups * parameters.Points * (64.0 + 8.0 * parameters.GroupChannels);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointSamplingParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    public static void Begin(in PointSamplingParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        new Span<TStorage>(workspace.Outside, parameters.GroupChannels).Clear();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointSamplingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = PointRun<TStorage, T>.Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, PointRun<TStorage, T>.Length);
        var result = new MapPointer<TStorage>(in parameters.Result);
        int all = parameters.Groups * parameters.Points;
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Offsets), in span, workspace.Offsets, 2 * all, workspace.OffsetStride);
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Features),
            in span,
            workspace.Features,
            extent.InputChannels,
            workspace.FeatureStride);
        if (TResult.Values == 2)
        {
            PixelRows<TSimd, TStorage, T, TVector>.Load(
                new MapPointer<TStorage>(in parameters.Weights), in span, workspace.Weights, all, workspace.WeightStride);
        }
        for (int pixel = 0; pixel < span.Count; pixel++)
            Compute(in parameters, in span, pixel, in workspace);
        if (parameters.Accumulate != 0)
            AddKnown(in result, in span, TResult.Values * all, in workspace);
        PixelRows<TSimd, TStorage, T, TVector>.Store(
            workspace.Result, workspace.ResultStride, in result, in span, TResult.Values * all);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute(
        in PointSamplingParameters<TStorage> parameters, in PixelSpan span, int pixel, in Workspace workspace)
    {
        var map = new MapPointer<TStorage>(in parameters.Map);
        int channels = parameters.GroupChannels;
        int height = parameters.Rows.Cells;
        int width = parameters.Columns.Cells;
        int cellRow = parameters.Rows.CellOf(span.Row);
        int cellColumn = parameters.Columns.CellOf(span.Column + pixel);
        T* offsets = workspace.Offsets + (nint)pixel * workspace.OffsetStride;
        T* weights = workspace.Weights + (nint)pixel * workspace.WeightStride;
        T* result = workspace.Result + (nint)pixel * workspace.ResultStride;
        for (int group = 0; group < parameters.Groups; group++)
        {
            T* features = workspace.Features + (nint)pixel * workspace.FeatureStride + group * channels;
            TStorage* first = map.At(span.Image, group * channels, 0, 0);
            for (int i = 0; i < parameters.Points; i++)
            {
                int point = group * parameters.Points + i;
                var sums = default(Pack4<T>);
                if (PointRun<TStorage, T>.TryLocate(in parameters, offsets, point, cellRow, cellColumn, out var place))
                {
                    TStorage* upper = first + place.Row * map.RowStride + place.Column * map.ColumnStride;
                    TStorage* lower = upper + map.RowStride;
                    sums = Sums(
                        features,
                        place.IsInside(0, height, width) ? upper : workspace.Outside,
                        place.IsInside(1, height, width) ? upper + map.ColumnStride : workspace.Outside,
                        place.IsInside(2, height, width) ? lower : workspace.Outside,
                        place.IsInside(3, height, width) ? lower + map.ColumnStride : workspace.Outside,
                        channels);
                }
                T weight = TResult.Values == 2 ? weights[point] : T.One;
                TResult.Write(in sums, place.Down, place.Across, weight, ref result[TResult.Values * point]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Pack4<T> Sums(T* features, TStorage* a, TStorage* b, TStorage* c, TStorage* d, int channels)
    {
        int lanes = TSimd.Lanes;
        int channel = 0;
        var sums = default(Pack4<T>);
        if (channels >= lanes)
        {
            var zero = TSimd.Constant(0.0);
            TVector s0 = zero, s1 = zero, s2 = zero, s3 = zero;
            for (; channel + lanes <= channels; channel += lanes)
            {
                var feature = TSimd.Load(features + channel);
                s0 = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(a + channel), s0);
                s1 = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(b + channel), s1);
                s2 = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(c + channel), s2);
                s3 = TSimd.MultiplyAdd(feature, TSimd.LoadStorage(d + channel), s3);
            }
            sums.X = TSimd.Sum(s0);
            sums.Y = TSimd.Sum(s1);
            sums.Z = TSimd.Sum(s2);
            sums.W = TSimd.Sum(s3);
        }
        for (; channel < channels; channel++)
        {
            T feature = features[channel];
            sums.X += feature * TSimd.Widen(a[channel]);
            sums.Y += feature * TSimd.Widen(b[channel]);
            sums.Z += feature * TSimd.Widen(c[channel]);
            sums.W += feature * TSimd.Widen(d[channel]);
        }
        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddKnown(
        in MapPointer<TStorage> result, in PixelSpan span, int values, in Workspace workspace)
    {
        PixelRows<TSimd, TStorage, T, TVector>.Load(in result, in span, workspace.Known, values, workspace.ResultStride);
        for (int i = 0; i < span.Count; i++)
        {
            T* row = workspace.Result + (nint)i * workspace.ResultStride;
            T* known = workspace.Known + (nint)i * workspace.ResultStride;
            for (int value = 0; value < values; value++)
                row[value] += known[value];
        }
    }

    private readonly struct Workspace
    {
        public readonly T* Offsets;
        public readonly T* Features;
        public readonly T* Weights;
        public readonly T* Result;
        public readonly T* Known;
        public readonly TStorage* Outside;
        public readonly int OffsetStride;
        public readonly int FeatureStride;
        public readonly int WeightStride;
        public readonly int ResultStride;

        public Workspace(ref ScratchAllocator scratch, in PointSamplingParameters<TStorage> parameters)
        {
            const int Length = PointRun<TStorage, T>.Length;
            int all = parameters.Groups * parameters.Points;
            OffsetStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(2 * all);
            FeatureStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.GroupChannels);
            WeightStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(all);
            ResultStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(TResult.Values * all);
            Offsets = scratch.Take<T>((long)Length * OffsetStride);
            Features = scratch.Take<T>((long)Length * FeatureStride);
            Weights = scratch.Take<T>((long)Length * WeightStride);
            Result = scratch.Take<T>((long)Length * ResultStride);
            Known = scratch.Take<T>((long)Length * ResultStride);
            Outside = scratch.Take<TStorage>(parameters.GroupChannels);
        }
    }
}

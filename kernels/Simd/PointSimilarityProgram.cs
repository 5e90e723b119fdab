using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>What a query's features are multiplied with: mixtures of the four cells around one of its points.</summary>
public interface IPointResult
{
    /// <summary>Gets the values of a point.</summary>
    static abstract int Values { get; }
}

/// <summary>The map at the point itself, which gives the similarity.</summary>
public readonly struct PointScore : IPointResult
{
    /// <inheritdoc/>
    public static int Values => 1;
}

/// <summary>The derivatives of the map at the point, across before down, times the weight of the point.</summary>
public readonly struct PointSlope : IPointResult
{
    /// <inheritdoc/>
    public static int Values => 2;
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
    where TResult : struct, IPointResult
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
        workspace.Places.Begin(in parameters, in span);
        for (int group = 0; group < parameters.Groups; group++)
            Compute(in parameters, in span, group, in workspace);
        if (parameters.Accumulate != 0)
            AddKnown(in result, in span, TResult.Values * all, in workspace);
        PixelRows<TSimd, TStorage, T, TVector>.Store(
            workspace.Result, workspace.ResultStride, in result, in span, TResult.Values * all);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute(
        in PointSamplingParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        var map = new MapPointer<TStorage>(in parameters.Map);
        int channels = parameters.GroupChannels;
        int height = parameters.Rows.Cells;
        int width = parameters.Columns.Cells;
        TStorage* first = map.At(span.Image, group * channels, 0, 0);
        var places = workspace.Places;
        for (int point = group * parameters.Points; point < (group + 1) * parameters.Points; point++)
        {
            PointPlaces<TSimd, TStorage, T, TVector>.Locate(in parameters, in span, point, in places);
            T* result = workspace.Result + TResult.Values * point;
            for (int i = 0; i < span.Count; i++, result += workspace.ResultStride)
            {
                if (!places.TryRead(i, height, width, out int row, out int column))
                {
                    new Span<T>(result, TResult.Values).Clear();
                    continue;
                }
                TStorage* upper = first + row * map.RowStride + column * map.ColumnStride;
                TStorage* lower = upper + map.RowStride;
                bool isLeft = column >= 0;
                bool isRight = column + 1 < width;
                bool isAbove = row >= 0;
                bool isBelow = row + 1 < height;
                var cells = new Corners
                {
                    A = isAbove & isLeft ? upper : workspace.Outside,
                    B = isAbove & isRight ? upper + map.ColumnStride : workspace.Outside,
                    C = isBelow & isLeft ? lower : workspace.Outside,
                    D = isBelow & isRight ? lower + map.ColumnStride : workspace.Outside,
                };
                T* features = workspace.Features + (nint)i * workspace.FeatureStride + group * channels;
                if (TResult.Values == 1)
                {
                    *result = Score(features, in cells, places.Down[i], places.Across[i], channels);
                    continue;
                }
                T weight = workspace.Weights[(nint)i * workspace.WeightStride + point];
                Slopes(features, in cells, places.Down[i], places.Across[i], channels, result);
                result[0] *= weight;
                result[1] *= weight;
            }
        }
    }

    // The cells are mixed before they are multiplied, so that there is one sum over the lanes.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Score(T* features, in Corners cells, T down, T across, int channels)
    {
        int lanes = TSimd.Lanes;
        TStorage* a = cells.A, b = cells.B, c = cells.C, d = cells.D;
        T right = across - across * down;
        T lowerRight = across * down;
        T left = T.One - down - right;
        T lowerLeft = down - lowerRight;
        var sa = TSimd.Broadcast(left);
        var sb = TSimd.Broadcast(right);
        var sc = TSimd.Broadcast(lowerLeft);
        var sd = TSimd.Broadcast(lowerRight);
        var sums = TSimd.Constant(0.0);
        int channel = 0;
        for (; channel + lanes <= channels; channel += lanes)
        {
            var mixed = TSimd.Multiply(sa, TSimd.LoadStorage(a + channel));
            mixed = TSimd.MultiplyAdd(sb, TSimd.LoadStorage(b + channel), mixed);
            mixed = TSimd.MultiplyAdd(sc, TSimd.LoadStorage(c + channel), mixed);
            mixed = TSimd.MultiplyAdd(sd, TSimd.LoadStorage(d + channel), mixed);
            sums = TSimd.MultiplyAdd(TSimd.Load(features + channel), mixed, sums);
        }
        T sum = channel > 0 ? TSimd.Sum(sums) : T.Zero;
        for (; channel < channels; channel++)
        {
            sum += features[channel] * (left * TSimd.Widen(a[channel]) + right * TSimd.Widen(b[channel])
                + lowerLeft * TSimd.Widen(c[channel]) + lowerRight * TSimd.Widen(d[channel]));
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Slopes(T* features, in Corners cells, T down, T across, int channels, T* slopes)
    {
        int lanes = TSimd.Lanes;
        TStorage* a = cells.A, b = cells.B, c = cells.C, d = cells.D;
        T up = T.One - down;
        T left = T.One - across;
        var ups = TSimd.Broadcast(up);
        var downs = TSimd.Broadcast(down);
        var lefts = TSimd.Broadcast(left);
        var acrosses = TSimd.Broadcast(across);
        var sumsAcross = TSimd.Constant(0.0);
        var sumsDown = TSimd.Constant(0.0);
        int channel = 0;
        for (; channel + lanes <= channels; channel += lanes)
        {
            var feature = TSimd.Load(features + channel);
            var va = TSimd.LoadStorage(a + channel);
            var vb = TSimd.LoadStorage(b + channel);
            var vc = TSimd.LoadStorage(c + channel);
            var vd = TSimd.LoadStorage(d + channel);
            var mixedAcross = TSimd.MultiplyAdd(
                downs, TSimd.Subtract(vd, vc), TSimd.Multiply(ups, TSimd.Subtract(vb, va)));
            var mixedDown = TSimd.MultiplyAdd(
                acrosses, TSimd.Subtract(vd, vb), TSimd.Multiply(lefts, TSimd.Subtract(vc, va)));
            sumsAcross = TSimd.MultiplyAdd(feature, mixedAcross, sumsAcross);
            sumsDown = TSimd.MultiplyAdd(feature, mixedDown, sumsDown);
        }
        slopes[0] = channel > 0 ? TSimd.Sum(sumsAcross) : T.Zero;
        slopes[1] = channel > 0 ? TSimd.Sum(sumsDown) : T.Zero;
        for (; channel < channels; channel++)
        {
            T va = TSimd.Widen(a[channel]);
            T vb = TSimd.Widen(b[channel]);
            T vc = TSimd.Widen(c[channel]);
            T vd = TSimd.Widen(d[channel]);
            slopes[0] += features[channel] * (up * (vb - va) + down * (vd - vc));
            slopes[1] += features[channel] * (left * (vc - va) + across * (vd - vb));
        }
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

    // Upper left, upper right, lower left, lower right; a row of zeros where the cell is outside.
    private struct Corners
    {
        public TStorage* A;
        public TStorage* B;
        public TStorage* C;
        public TStorage* D;
    }

    private readonly struct Workspace
    {
        public readonly T* Features;
        public readonly T* Weights;
        public readonly T* Result;
        public readonly T* Known;
        public readonly TStorage* Outside;
        public readonly PointPlaces<TSimd, TStorage, T, TVector> Places;
        public readonly int FeatureStride;
        public readonly int WeightStride;
        public readonly int ResultStride;

        public Workspace(ref ScratchAllocator scratch, in PointSamplingParameters<TStorage> parameters)
        {
            const int Length = PointRun<TStorage, T>.Length;
            int all = parameters.Groups * parameters.Points;
            FeatureStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.GroupChannels);
            WeightStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(all);
            ResultStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(TResult.Values * all);
            Features = scratch.Take<T>((long)Length * FeatureStride);
            Weights = scratch.Take<T>((long)Length * WeightStride);
            Result = scratch.Take<T>((long)Length * ResultStride);
            Known = scratch.Take<T>((long)Length * ResultStride);
            Outside = scratch.Take<TStorage>(parameters.GroupChannels);
            Places = new PointPlaces<TSimd, TStorage, T, TVector>(ref scratch);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradient of a map that was sampled at points, on the CPU: a tile owns some channels of one group of one image, walks
/// all queries in order and adds the share of every point to the cells around it, in a map of its own in scratch memory. No
/// two tiles write the same element, so nothing has to be sorted and the order of the sums is that of the queries.
/// </summary>
/// <remarks>
/// Memory: offsets and weights are read once for every tile of a group, the features once; the map of a tile,
/// <see cref="BlockChannels"/> channels of every cell, is meant to stay in the second cache. The lanes are over channels; places
/// of <see cref="PointRun{TStorage, T}.Length"/> points are found at once.
/// </remarks>
public readonly unsafe struct PointScatterProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<PointSamplingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int BlockChannels = 32;

    /// <inheritdoc/>
    public static long TileCount(in PointSamplingParameters<TStorage> parameters) =>
        (long)parameters.Batch * parameters.Groups * Blocks(in parameters);

    /// <inheritdoc/>
    public static double Operations(in PointSamplingParameters<TStorage> parameters) =>
        PointRun<TStorage, T>.Extent(in parameters).Pixels
            * (double)parameters.Groups * parameters.Points * (32.0 + 8.0 * parameters.GroupChannels);

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
        // Lanes past the last channel are computed with like the others.
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        new Span<T>(workspace.Features, PointRun<TStorage, T>.Length * workspace.FeatureStride).Clear();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointSamplingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        const int Length = PointRun<TStorage, T>.Length;
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        int blocks = Blocks(in parameters);
        int block = (int)(tile % blocks);
        int group = (int)(tile / blocks % parameters.Groups);
        int image = (int)(tile / blocks / parameters.Groups);
        int first = block * BlockChannels;
        int channels = Math.Min(BlockChannels, parameters.GroupChannels - first);
        var features = Channels(in parameters.Features, group * parameters.GroupChannels + first);
        new Span<T>(workspace.Sums, checked(parameters.Rows.Cells * parameters.Columns.Cells * workspace.Stride)).Clear();
        for (int row = 0; row < parameters.Rows.Queries; row++)
        {
            for (int column = 0; column < parameters.Columns.Queries; column += Length)
            {
                var span = new PixelSpan
                {
                    Image = image,
                    Row = row,
                    Column = column,
                    Count = Math.Min(Length, parameters.Columns.Queries - column),
                };
                PixelRows<TSimd, TStorage, T, TVector>.Load(
                    in features, in span, workspace.Features, channels, workspace.FeatureStride);
                workspace.Places.Begin(in parameters, in span);
                AddRun(in parameters, in span, group, in workspace);
            }
        }
        Store(in parameters, image, group * parameters.GroupChannels + first, channels, in workspace);
    }

    private static int Blocks(in PointSamplingParameters<TStorage> parameters) =>
        (parameters.GroupChannels + BlockChannels - 1) / BlockChannels;

    private static MapPointer<TStorage> Channels(in MapView<TStorage> map, int first)
    {
        var part = map;
        part.Origin += first * part.ChannelStride;
        return new MapPointer<TStorage>(in part);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRun(
        in PointSamplingParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        var weights = new MapPointer<TStorage>(in parameters.Weights);
        int height = parameters.Rows.Cells;
        int width = parameters.Columns.Cells;
        int stride = workspace.Stride;
        nint rowStride = (nint)width * stride;
        var places = workspace.Places;
        for (int point = group * parameters.Points; point < (group + 1) * parameters.Points; point++)
        {
            PointPlaces<TSimd, TStorage, T, TVector>.Locate(in parameters, in span, point, in places);
            TSimd.Gather(
                weights.At(span.Image, point, span.Row, span.Column), weights.ColumnStride, workspace.Weights, span.Count);
            for (int i = 0; i < span.Count; i++)
            {
                if (!places.TryRead(i, height, width, out int row, out int column))
                    continue;
                T down = places.Down[i];
                T across = places.Across[i];
                T lower = workspace.Weights[i] * down;
                T upper = workspace.Weights[i] - lower;
                T upperRight = upper * across;
                T lowerRight = lower * across;
                T* cell = workspace.Sums + row * rowStride + (nint)column * stride;
                T* features = workspace.Features + (nint)i * workspace.FeatureStride;
                bool isAbove = row >= 0;
                bool isBelow = row + 1 < height;
                bool isLeft = column >= 0;
                bool isRight = column + 1 < width;
                if (isAbove & isLeft)
                    Add(cell, upper - upperRight, features, stride);
                if (isAbove & isRight)
                    Add(cell + stride, upperRight, features, stride);
                if (isBelow & isLeft)
                    Add(cell + rowStride, lower - lowerRight, features, stride);
                if (isBelow & isRight)
                    Add(cell + rowStride + stride, lowerRight, features, stride);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(T* cell, T share, T* features, int count)
    {
        var factor = TSimd.Broadcast(share);
        for (int channel = 0; channel < count; channel += TSimd.Lanes)
        {
            TSimd.Store(
                cell + channel,
                TSimd.MultiplyAdd(factor, TSimd.Load(features + channel), TSimd.Load(cell + channel)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Store(
        in PointSamplingParameters<TStorage> parameters, int image, int first, int channels, in Workspace workspace)
    {
        var result = Channels(in parameters.Result, first);
        T* sums = workspace.Sums;
        for (int row = 0; row < parameters.Rows.Cells; row++)
        {
            var span = new PixelSpan { Image = image, Row = row, Column = 0, Count = parameters.Columns.Cells };
            PixelRows<TSimd, TStorage, T, TVector>.Store(sums, workspace.Stride, in result, in span, channels);
            sums += (nint)parameters.Columns.Cells * workspace.Stride;
        }
    }

    private readonly struct Workspace
    {
        public readonly T* Sums;
        public readonly T* Features;
        public readonly T* Weights;
        public readonly PointPlaces<TSimd, TStorage, T, TVector> Places;
        public readonly int Stride;
        public readonly int FeatureStride;

        public Workspace(ref ScratchAllocator scratch, in PointSamplingParameters<TStorage> parameters)
        {
            int channels = Math.Min(BlockChannels, parameters.GroupChannels);
            Stride = (channels + TSimd.Lanes - 1) / TSimd.Lanes * TSimd.Lanes;
            FeatureStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(channels);
            Sums = scratch.Take<T>((long)parameters.Rows.Cells * parameters.Columns.Cells * Stride);
            Features = scratch.Take<T>((long)PointRun<TStorage, T>.Length * FeatureStride);
            Weights = scratch.Take<T>(PointRun<TStorage, T>.Length);
            Places = new PointPlaces<TSimd, TStorage, T, TVector>(ref scratch);
        }
    }
}

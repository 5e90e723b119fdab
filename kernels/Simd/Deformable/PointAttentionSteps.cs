using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>What forward and backward of attention over points share: the scores of a run of queries.</summary>
internal readonly unsafe struct PointAttentionSteps<TSimd, TStorage, T, TVector>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int Length = PointTable<TSimd, TStorage, T, TVector>.Length;

    private readonly T* queries;
    private readonly T* room;
    private readonly TStorage* outside;
    private readonly int queryStride;

    public PointAttentionSteps(ref ScratchAllocator scratch, in PointAttentionParameters<TStorage> parameters)
    {
        int points = parameters.Points;
        Table = new(ref scratch, points, parameters.Groups, hasSecond: true);
        queryStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.KeyChannels);
        queries = scratch.Take<T>((long)Length * queryStride);
        room = scratch.Take<T>(PointSteps<TSimd, TStorage, T, TVector>.RoomFor(points));
        Products = scratch.Take<T>((long)points * PointTable<TSimd, TStorage, T, TVector>.Corners * Length);
        outside = scratch.Take<TStorage>(Math.Max(parameters.KeyChannels, parameters.ValueChannels));
    }

    /// <summary>Gets the cells of the key, first, and of the value, second.</summary>
    public PointTable<TSimd, TStorage, T, TVector> Table { get; }

    /// <summary>Gets the products of the queries and the cells of the key, [point][corner][query].</summary>
    public T* Products { get; }

    public static double Operations(in PointAttentionParameters<TStorage> parameters) =>
        parameters.Extent().Pixels * (double)parameters.Groups * parameters.Points
            * (128.0 + 8.0 * (parameters.KeyChannels + parameters.ValueChannels));

    /// <summary>Clears what stands for the cells outside, once for all tiles of a thread.</summary>
    public void Clear(in PointAttentionParameters<TStorage> parameters) =>
        new Span<TStorage>(outside, Math.Max(parameters.KeyChannels, parameters.ValueChannels)).Clear();

    /// <summary>Reads offsets and queries of a run.</summary>
    public void Begin(in PointAttentionParameters<TStorage> parameters, in PixelSpan span)
    {
        Table.Begin(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, in span, firstGroup: 0, parameters.Groups);
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Query),
            in span,
            queries,
            parameters.Groups * parameters.KeyChannels,
            queryStride);
    }

    /// <summary>Fills the table for a group and computes its scores, [point][query].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Score(in PointAttentionParameters<TStorage> parameters, in PixelSpan span, int group, T* scores)
    {
        int channel = group * parameters.KeyChannels;
        var key = PointMap.Of(
            in parameters.Key, in parameters.Rows, in parameters.Columns, span.Image, channel, outside);
        var value = PointMap.Of(
            in parameters.Value,
            in parameters.Rows,
            in parameters.Columns,
            span.Image,
            group * parameters.ValueChannels,
            outside);
        Table.Fill(group, span.Count, in key, in value);
        Multiply(Table.First, queries + channel, queryStride, parameters.KeyChannels, parameters.Points, span.Count, Products);
        PointSteps<TSimd, TStorage, T, TVector>.Scores(Table.Shares, Products, parameters.Points, scores);
    }

    /// <summary>The products of features and cells.</summary>
    public void Multiply(long* cells, T* features, int stride, int channels, int points, int count, T* products) =>
        PointSteps<TSimd, TStorage, T, TVector>.Products(features, stride, cells, points, count, channels, room, products);
}

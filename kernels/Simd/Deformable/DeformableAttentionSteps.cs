using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>What forward and backward of deformable attention share: the scores of a run of queries.</summary>
internal readonly unsafe struct DeformableAttentionSteps<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Length = DeformableTable<TSimd, TStorage, TReal, TVector>.Length;

    private readonly TReal* queries;
    private readonly TReal* scratchValues;
    private readonly TStorage* outside;
    private readonly int queryStride;

    public DeformableAttentionSteps(ref ScratchAllocator scratch, in DeformableAttentionParameters<TStorage> parameters)
    {
        int points = parameters.Points;
        Table = new(ref scratch, points, parameters.Groups, hasSecond: true);
        queryStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Groups * parameters.KeyChannels);
        queries = scratch.Take<TReal>((long)Length * queryStride);
        scratchValues = scratch.Take<TReal>(DeformableSteps<TSimd, TStorage, TReal, TVector>.ScratchLength(points));
        Products = scratch.Take<TReal>(
            (long)points * DeformableTable<TSimd, TStorage, TReal, TVector>.Corners * Length);
        outside = scratch.Take<TStorage>(Math.Max(parameters.KeyChannels, parameters.ValueChannels));
    }

    /// <summary>Gets the cells of the key, first, and of the value, second.</summary>
    public DeformableTable<TSimd, TStorage, TReal, TVector> Table { get; }

    /// <summary>Gets the products of the queries and the cells of the key, [point][corner][query].</summary>
    public TReal* Products { get; }

    public static double Operations(in DeformableAttentionParameters<TStorage> parameters) =>
        parameters.Extent().Pixels * (double)parameters.Groups * parameters.Points
            * (128.0 + 8.0 * (parameters.KeyChannels + parameters.ValueChannels));

    /// <summary>Clears what stands for the cells outside, once for all tiles of a thread.</summary>
    public void Clear(in DeformableAttentionParameters<TStorage> parameters) =>
        new Span<TStorage>(outside, Math.Max(parameters.KeyChannels, parameters.ValueChannels)).Clear();

    /// <summary>Reads offsets and queries of a run.</summary>
    public void Begin(in DeformableAttentionParameters<TStorage> parameters, in PixelSpan span)
    {
        Table.Begin(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, in span, firstGroup: 0, parameters.Groups);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Query),
            in span,
            queries,
            parameters.Groups * parameters.KeyChannels,
            queryStride);
    }

    /// <summary>Fills the table for a group and computes its scores, [point][query].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Score(
        in DeformableAttentionParameters<TStorage> parameters, in PixelSpan span, int group, TReal* scores)
    {
        int channel = group * parameters.KeyChannels;
        var key = DeformableMap.Of(
            in parameters.Key, in parameters.Rows, in parameters.Columns, span.Image, channel, outside);
        var value = DeformableMap.Of(
            in parameters.Value,
            in parameters.Rows,
            in parameters.Columns,
            span.Image,
            group * parameters.ValueChannels,
            outside);
        Table.Fill(group, span.Count, in key, in value);
        Multiply(
            Table.First,
            queries + channel,
            queryStride,
            parameters.KeyChannels,
            parameters.Points,
            span.Count,
            Products);
        DeformableSteps<TSimd, TStorage, TReal, TVector>.Scores(
            Table.BilinearWeights, Products, parameters.Points, scores);
    }

    /// <summary>The products of features and cells.</summary>
    public void Multiply(
        long* cells, TReal* features, int stride, int channels, int points, int count, TReal* products) =>
        DeformableSteps<TSimd, TStorage, TReal, TVector>.Products(
            features, stride, cells, points, count, channels, scratchValues, products);
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// One group of one image in deformable attention, as forward and backward by group stage it: value and key cell by
/// cell beside one another, [cell][value, key], and a run of queries in the same order. A cell has an odd number of
/// vectors, so that those around a run spread over all of the first-level cache.
/// </summary>
internal readonly unsafe struct DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TStagedSimd : struct, ISimd<TReal, TReal, TVector>
{
    /// <summary>The queries of a run.</summary>
    public const int Length = DeformableTable<TSimd, TStorage, TReal, TVector>.Length;

    private readonly TReal* scratchValues;

    public DeformableGroup(ref ScratchAllocator scratch, in DeformableAttentionParameters<TStorage> parameters)
    {
        int points = parameters.Points;
        long perCorner = (long)points * DeformableTable<TSimd, TStorage, TReal, TVector>.Corners * Length;
        Stride = (((parameters.KeyChannels + parameters.ValueChannels) / TSimd.Lanes) | 1) * TSimd.Lanes;
        Table = new(ref scratch, points, groups: 1);
        Cells = scratch.Take<TReal>(CellCount(in parameters) * Stride);
        Features = scratch.Take<TReal>((long)Length * Stride);
        scratchValues = scratch.Take<TReal>(DeformableSteps<TStagedSimd, TReal, TReal, TVector>.ScratchLength(points));
        KeyProducts = scratch.Take<TReal>(perCorner);
        Weights = scratch.Take<TReal>((long)points * Length);
        BilinearWeights = scratch.Take<TReal>(perCorner);
    }

    /// <summary>Gets the cells around the points of a run.</summary>
    public DeformableTable<TSimd, TStorage, TReal, TVector> Table { get; }

    /// <summary>Gets the staged cells.</summary>
    public TReal* Cells { get; }

    /// <summary>
    /// Gets the features of a run of queries, in the order of a cell: those that meet the value, then the query.
    /// </summary>
    public TReal* Features { get; }

    /// <summary>Gets the elements from one cell, or query of a run, to the next.</summary>
    public int Stride { get; }

    /// <summary>Gets the products of the queries and the cells of the key, [point][corner][query].</summary>
    public TReal* KeyProducts { get; }

    /// <summary>Gets the weights, [point][query].</summary>
    public TReal* Weights { get; }

    /// <summary>Gets space for bilinear weights times a factor, [point][corner][query].</summary>
    public TReal* BilinearWeights { get; }

    /// <summary>The cells that are staged: one more than the map has, for all that are outside.</summary>
    public static long CellCount(in DeformableAttentionParameters<TStorage> parameters) =>
        (long)parameters.Rows.Cells * parameters.Columns.Cells + 1;

    /// <summary>The runs of an image, row by row.</summary>
    public static long Runs(in DeformableAttentionParameters<TStorage> parameters)
    {
        var extent = parameters.Extent();
        return extent.Runs(Length) / extent.Batch;
    }

    /// <summary>A run of an image by its number.</summary>
    public static PixelSpan Run(in DeformableAttentionParameters<TStorage> parameters, int image, long number)
    {
        var extent = parameters.Extent();
        return PixelSpan.Locate(in extent, image * Runs(in parameters) + number, Length);
    }

    /// <summary>Stages the cells of a group, and one of zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Stage(in DeformableAttentionParameters<TStorage> parameters, int image, int group)
    {
        var value = new MapPointer<TStorage>(in parameters.Value, group * parameters.ValueChannels);
        var key = new MapPointer<TStorage>(in parameters.Key, group * parameters.KeyChannels);
        TReal* cells = Cells;
        for (int row = 0; row < parameters.Rows.Cells; row++)
        {
            var span = new PixelSpan { Image = image, Row = row, Column = 0, Count = parameters.Columns.Cells };
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in value, in span, cells, parameters.ValueChannels, Stride);
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(
                in key, in span, cells + parameters.ValueChannels, parameters.KeyChannels, Stride);
            cells += (nint)parameters.Columns.Cells * Stride;
        }
        new Span<TReal>(cells, Stride).Clear();
    }

    /// <summary>
    /// Asks for the queries and offsets of a run: pieces of pixels, which the processor does not foresee by itself.
    /// </summary>
    public static void PrefetchNextRow(
        in DeformableAttentionParameters<TStorage> parameters, in PixelSpan span, int group, ref PrefetchQueue next)
    {
        int offsets = 2 * parameters.Points;
        next.AddPixels(
            new MapPointer<TStorage>(in parameters.Query), in span, group * parameters.KeyChannels, parameters.KeyChannels);
        next.AddPixels(new MapPointer<TStorage>(in parameters.Offsets), in span, group * offsets, offsets);
    }

    /// <summary>Finds the points of a run and computes its weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void ComputeWeights(in DeformableAttentionParameters<TStorage> parameters, in PixelSpan span, int group)
    {
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Query, group * parameters.KeyChannels),
            in span,
            Features + parameters.ValueChannels,
            parameters.KeyChannels,
            Stride);
        Table.Begin(in parameters.Offsets, in parameters.Rows, in parameters.Columns, in span, group, groups: 1);
        var cells = DeformableMap.OfScratch(in parameters.Rows, in parameters.Columns, Cells, Stride);
        Table.Fill(group: 0, span.Count, in cells);
        Multiply(parameters.Points, span.Count, parameters.ValueChannels, parameters.KeyChannels, KeyProducts);
        DeformableSteps<TStagedSimd, TReal, TReal, TVector>.Scores(
            Table.BilinearWeights, KeyProducts, parameters.Points, Weights);
        DeformableSteps<TStagedSimd, TReal, TReal, TVector>.Softmax(Weights, parameters.Points);
    }

    /// <summary>The products of some channels of features and cells.</summary>
    public void Multiply(int points, int queries, int first, int channels, TReal* products) =>
        DeformableSteps<TStagedSimd, TReal, TReal, TVector>.Products(
            Features + first, Stride, Table.First, points, queries, channels, scratchValues, products, first);
}

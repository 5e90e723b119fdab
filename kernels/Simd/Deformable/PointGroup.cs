using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// One group of one image in attention over points, as forward and backward by group stage it: value and key cell by cell
/// beside one another, [cell][value, key], and a run of queries in the same order. A cell has an odd number of vectors, so
/// that those around a run spread over all of the first-level cache.
/// </summary>
internal readonly unsafe struct PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TStagedSimd : struct, ISimd<T, T, TVector>
{
    /// <summary>The queries of a run.</summary>
    public const int Length = PointTable<TSimd, TStorage, T, TVector>.Length;

    private readonly T* room;

    public PointGroup(ref ScratchAllocator scratch, in PointAttentionParameters<TStorage> parameters)
    {
        int points = parameters.Points;
        long perCorner = (long)points * PointTable<TSimd, TStorage, T, TVector>.Corners * Length;
        Stride = (((parameters.KeyChannels + parameters.ValueChannels) / TSimd.Lanes) | 1) * TSimd.Lanes;
        Table = new(ref scratch, points, groups: 1);
        Cells = scratch.Take<T>(CellCount(in parameters) * Stride);
        Features = scratch.Take<T>((long)Length * Stride);
        room = scratch.Take<T>(PointSteps<TStagedSimd, T, T, TVector>.RoomFor(points));
        KeyProducts = scratch.Take<T>(perCorner);
        Weights = scratch.Take<T>((long)points * Length);
        Shares = scratch.Take<T>(perCorner);
    }

    /// <summary>Gets the cells around the points of a run.</summary>
    public PointTable<TSimd, TStorage, T, TVector> Table { get; }

    /// <summary>Gets the staged cells.</summary>
    public T* Cells { get; }

    /// <summary>Gets the features of a run of queries, in the order of a cell: those that meet the value, then the query.</summary>
    public T* Features { get; }

    /// <summary>Gets the elements from one cell, or query of a run, to the next.</summary>
    public int Stride { get; }

    /// <summary>Gets the products of the queries and the cells of the key, [point][corner][query].</summary>
    public T* KeyProducts { get; }

    /// <summary>Gets the weights, [point][query].</summary>
    public T* Weights { get; }

    /// <summary>Gets room for weighted shares, [point][corner][query].</summary>
    public T* Shares { get; }

    /// <summary>The cells that are staged: one more than the map has, for all that are outside.</summary>
    public static long CellCount(in PointAttentionParameters<TStorage> parameters) =>
        (long)parameters.Rows.Cells * parameters.Columns.Cells + 1;

    /// <summary>The runs of an image, row by row.</summary>
    public static long Runs(in PointAttentionParameters<TStorage> parameters)
    {
        var extent = parameters.Extent();
        return extent.Runs(Length) / extent.Batch;
    }

    /// <summary>A run of an image by its number.</summary>
    public static PixelSpan Run(in PointAttentionParameters<TStorage> parameters, int image, long number)
    {
        var extent = parameters.Extent();
        return PixelSpan.Locate(in extent, image * Runs(in parameters) + number, Length);
    }

    /// <summary>Stages the cells of a group, and one of zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Stage(in PointAttentionParameters<TStorage> parameters, int image, int group)
    {
        var value = new MapPointer<TStorage>(in parameters.Value, group * parameters.ValueChannels);
        var key = new MapPointer<TStorage>(in parameters.Key, group * parameters.KeyChannels);
        T* cells = Cells;
        for (int row = 0; row < parameters.Rows.Cells; row++)
        {
            var span = new PixelSpan { Image = image, Row = row, Column = 0, Count = parameters.Columns.Cells };
            PixelRows<TSimd, TStorage, T, TVector>.Load(in value, in span, cells, parameters.ValueChannels, Stride);
            PixelRows<TSimd, TStorage, T, TVector>.Load(
                in key, in span, cells + parameters.ValueChannels, parameters.KeyChannels, Stride);
            cells += (nint)parameters.Columns.Cells * Stride;
        }
        new Span<T>(cells, Stride).Clear();
    }

    /// <summary>
    /// Asks for the queries and offsets of a run: pieces of pixels, which the processor does not foresee by itself.
    /// </summary>
    public static void Foresee(
        in PointAttentionParameters<TStorage> parameters, in PixelSpan span, int group, ref PrefetchQueue next)
    {
        int offsets = 2 * parameters.Points;
        next.AddPixels(
            new MapPointer<TStorage>(in parameters.Query), in span, group * parameters.KeyChannels, parameters.KeyChannels);
        next.AddPixels(new MapPointer<TStorage>(in parameters.Offsets), in span, group * offsets, offsets);
    }

    /// <summary>Finds the points of a run and computes its weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void ComputeWeights(in PointAttentionParameters<TStorage> parameters, in PixelSpan span, int group)
    {
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Query, group * parameters.KeyChannels),
            in span,
            Features + parameters.ValueChannels,
            parameters.KeyChannels,
            Stride);
        Table.Begin(in parameters.Offsets, in parameters.Rows, in parameters.Columns, in span, group, groups: 1);
        var cells = PointMap.OfScratch(in parameters.Rows, in parameters.Columns, Cells, Stride);
        Table.Fill(group: 0, span.Count, in cells);
        Multiply(parameters.Points, span.Count, parameters.ValueChannels, parameters.KeyChannels, KeyProducts);
        PointSteps<TStagedSimd, T, T, TVector>.Scores(Table.Shares, KeyProducts, parameters.Points, Weights);
        PointSteps<TStagedSimd, T, T, TVector>.Softmax(Weights, parameters.Points);
    }

    /// <summary>The products of some channels of features and cells.</summary>
    public void Multiply(int points, int queries, int first, int channels, T* products) =>
        PointSteps<TStagedSimd, T, T, TVector>.Products(
            Features + first, Stride, Table.First, points, queries, channels, room, products, first);
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Kernels.Simd;

/// <summary>What is made of the similarities of a query's features and the four cells around one of its points.</summary>
public interface IPointResult
{
    /// <summary>Gets whether the similarity to the map at the point is.</summary>
    static abstract bool HasScores { get; }

    /// <summary>Gets whether its derivatives are, across before down, times the weight of the point.</summary>
    static abstract bool HasSlopes { get; }
}

/// <summary>The similarities.</summary>
public readonly struct PointScore : IPointResult
{
    /// <inheritdoc/>
    public static bool HasScores => true;

    /// <inheritdoc/>
    public static bool HasSlopes => false;
}

/// <summary>The derivatives.</summary>
public readonly struct PointSlope : IPointResult
{
    /// <inheritdoc/>
    public static bool HasScores => false;

    /// <inheritdoc/>
    public static bool HasSlopes => true;
}

/// <summary>Both, which take hardly more than one.</summary>
public readonly struct PointScoreAndSlope : IPointResult
{
    /// <inheritdoc/>
    public static bool HasScores => true;

    /// <inheritdoc/>
    public static bool HasSlopes => true;
}

/// <summary>
/// <see cref="PointSimilarity{TElement, TStorage, TAccumulator}"/> and
/// <see cref="PointOffsetGradient{TElement, TStorage, TAccumulator}"/> on the CPU, from a channels-last map: a tile is a run
/// of queries, whose features are multiplied with the cells around each point, with the lanes over channels. What is made of
/// the four products is computed with the lanes over queries.
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
    private const int Length = PointTable<TSimd, TStorage, T, TVector>.Length;

    /// <inheritdoc/>
    public static long TileCount(in PointSamplingParameters<TStorage> parameters) => parameters.Extent().Runs(Length);

    /// <inheritdoc/>
    public static double Operations(in PointSamplingParameters<TStorage> parameters) =>
        parameters.Extent().Pixels
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
        var span = PixelSpan.Locate(parameters.Extent(), tile, Length);
        int all = parameters.Groups * parameters.Points;
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Features),
            in span,
            workspace.Features,
            parameters.Groups * parameters.GroupChannels,
            workspace.FeatureStride);
        workspace.Table.Begin(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, in span, firstGroup: 0, parameters.Groups);
        var weights = new MapPointer<TStorage>(in parameters.Weights);
        var result = new MapPointer<TStorage>(in parameters.Result);
        TStorage* to = result.At(span.Image, 0, span.Row, span.Column);
        if (TResult.HasSlopes)
        {
            TStorage* weight = weights.At(span.Image, 0, span.Row, span.Column);
            QueryBlock<TSimd, TStorage, T, TVector>.Load(in weights, weight, workspace.Weights, Length, all, span.Count);
            new Span<T>(workspace.Slopes, 2 * all * Length).Clear();
            if (parameters.Accumulate != 0)
                QueryBlock<TSimd, TStorage, T, TVector>.Load(in result, to, workspace.Slopes, Length, 2 * all, span.Count);
        }
        for (int group = 0; group < parameters.Groups; group++)
            Compute(in parameters, in span, group, in workspace);
        if (TResult.HasSlopes)
            QueryBlock<TSimd, TStorage, T, TVector>.Store(workspace.Slopes, Length, in result, to, 2 * all, span.Count);
        if (TResult.HasScores)
        {
            var scores = new MapPointer<TStorage>(in parameters.Scores);
            to = scores.At(span.Image, 0, span.Row, span.Column);
            QueryBlock<TSimd, TStorage, T, TVector>.Store(workspace.Scores, Length, in scores, to, all, span.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute(
        in PointSamplingParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        int points = parameters.Points;
        int channel = group * parameters.GroupChannels;
        int values = group * points * Length;
        var table = workspace.Table;
        var map = PointMap.Of(
            in parameters.Map, in parameters.Rows, in parameters.Columns, span.Image, channel, workspace.Outside);
        table.Fill(group, span.Count, in map);
        PointSteps<TSimd, TStorage, T, TVector>.Products(
            workspace.Features + channel,
            workspace.FeatureStride,
            table.First,
            points,
            span.Count,
            parameters.GroupChannels,
            workspace.Room,
            workspace.Products);
        if (TResult.HasScores)
        {
            PointSteps<TSimd, TStorage, T, TVector>.Scores(
                table.Shares, workspace.Products, points, workspace.Scores + values);
        }
        if (TResult.HasSlopes)
        {
            PointSteps<TSimd, TStorage, T, TVector>.AddSlopes(
                workspace.Products, in table, workspace.Weights + values, points, workspace.Slopes + 2 * values);
        }
    }

    private readonly struct Workspace
    {
        public readonly T* Features;
        public readonly T* Weights;
        public readonly T* Room;
        public readonly T* Products;
        public readonly T* Scores;
        public readonly T* Slopes;
        public readonly TStorage* Outside;
        public readonly PointTable<TSimd, TStorage, T, TVector> Table;
        public readonly int FeatureStride;

        public Workspace(ref ScratchAllocator scratch, in PointSamplingParameters<TStorage> parameters)
        {
            int points = parameters.Points;
            long values = (long)parameters.Groups * points * Length;
            FeatureStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.GroupChannels);
            Features = scratch.Take<T>((long)Length * FeatureStride);
            Weights = scratch.Take<T>(values);
            Room = scratch.Take<T>(PointSteps<TSimd, TStorage, T, TVector>.RoomFor(points));
            Products = scratch.Take<T>((long)points * PointTable<TSimd, TStorage, T, TVector>.Corners * Length);
            Scores = scratch.Take<T>(values);
            Slopes = scratch.Take<T>(2 * values);
            Outside = scratch.Take<TStorage>(parameters.GroupChannels);
            Table = new PointTable<TSimd, TStorage, T, TVector>(ref scratch, points, parameters.Groups);
        }
    }
}

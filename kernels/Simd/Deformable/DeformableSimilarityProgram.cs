using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// What is made of the similarities of a query's features and the four cells around one of its points.
/// </summary>
internal interface IDeformableResult
{
    /// <summary>Gets whether the similarity to the map at the point is.</summary>
    static abstract bool HasScores { get; }

    /// <summary>Gets whether its derivatives are, across before down, times the weight of the point.</summary>
    static abstract bool HasSlopes { get; }
}

/// <summary>The similarities.</summary>
internal readonly struct DeformableScore : IDeformableResult
{
    public static bool HasScores => true;

    public static bool HasSlopes => false;
}

/// <summary>The derivatives.</summary>
internal readonly struct DeformableSlope : IDeformableResult
{
    public static bool HasScores => false;

    public static bool HasSlopes => true;
}

/// <summary>Both, which take hardly more than one.</summary>
internal readonly struct DeformableScoreAndSlope : IDeformableResult
{
    public static bool HasScores => true;

    public static bool HasSlopes => true;
}

/// <summary>
/// <see cref="DeformableSimilarityForward{TElement, TStorage, TReal, TAccess, TResult}"/> and
/// <see cref="SampleSlope"/> on the CPU, from a channels-last map: a tile is a
/// run of queries, whose features are multiplied with the cells around each point, with the lanes over channels. What
/// is made of the four products is computed with the lanes over queries.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic.</typeparam>
/// <typeparam name="TStorage">The type of the maps.</typeparam>
/// <typeparam name="TReal">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="TReal"/>.</typeparam>
/// <typeparam name="TResult">What is made of the similarities.</typeparam>
internal readonly unsafe struct DeformableSimilarityProgram<TSimd, TStorage, TReal, TVector, TResult>
    : ITileProgram<DeformableSamplingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TResult : struct, IDeformableResult
{
    private const int Length = DeformableTable<TSimd, TStorage, TReal, TVector>.Length;

    public static long TileCount(
        in DeformableSamplingParameters<TStorage> parameters) => parameters.Extent().Runs(Length);

    public static double Operations(in DeformableSamplingParameters<TStorage> parameters) =>
        parameters.Extent().Pixels
            * (double)parameters.Groups * parameters.Points * (64.0 + 8.0 * parameters.GroupChannels);

    public static long ScratchBytes(in DeformableSamplingParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    public static void Begin(in DeformableSamplingParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        new Span<TStorage>(workspace.Outside, parameters.GroupChannels).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in DeformableSamplingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var span = PixelSpan.Locate(parameters.Extent(), tile, Length);
        int all = parameters.Groups * parameters.Points;
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(
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
            QueryBlock<TSimd, TStorage, TReal, TVector>.Load(
                in weights, weight, workspace.Weights, Length, all, span.Count);
            new Span<TReal>(workspace.Slopes, 2 * all * Length).Clear();
            if (parameters.Accumulate != 0)
                QueryBlock<TSimd, TStorage, TReal, TVector>.Load(
                    in result, to, workspace.Slopes, Length, 2 * all, span.Count);
        }
        for (int group = 0; group < parameters.Groups; group++)
            Compute(in parameters, in span, group, in workspace);
        if (TResult.HasSlopes)
            QueryBlock<TSimd, TStorage, TReal, TVector>.Store(
                workspace.Slopes, Length, in result, to, 2 * all, span.Count);
        if (TResult.HasScores)
        {
            var scores = new MapPointer<TStorage>(in parameters.Scores);
            to = scores.At(span.Image, 0, span.Row, span.Column);
            QueryBlock<TSimd, TStorage, TReal, TVector>.Store(workspace.Scores, Length, in scores, to, all, span.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute(
        in DeformableSamplingParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        int points = parameters.Points;
        int channel = group * parameters.GroupChannels;
        int values = group * points * Length;
        var table = workspace.Table;
        var map = DeformableMap.Of(
            in parameters.Map, in parameters.Rows, in parameters.Columns, span.Image, channel, workspace.Outside);
        table.Fill(group, span.Count, in map);
        DeformableSteps<TSimd, TStorage, TReal, TVector>.Products(
            workspace.Features + channel,
            workspace.FeatureStride,
            table.First,
            points,
            span.Count,
            parameters.GroupChannels,
            workspace.Scratch,
            workspace.Products);
        if (TResult.HasScores)
        {
            DeformableSteps<TSimd, TStorage, TReal, TVector>.Scores(
                table.BilinearWeights, workspace.Products, points, workspace.Scores + values);
        }
        if (TResult.HasSlopes)
        {
            DeformableSteps<TSimd, TStorage, TReal, TVector>.AddSlopes(
                workspace.Products, in table, workspace.Weights + values, points, workspace.Slopes + 2 * values);
        }
    }

    private readonly struct Workspace
    {
        public readonly TReal* Features;
        public readonly TReal* Weights;
        public readonly TReal* Scratch;
        public readonly TReal* Products;
        public readonly TReal* Scores;
        public readonly TReal* Slopes;
        public readonly TStorage* Outside;
        public readonly DeformableTable<TSimd, TStorage, TReal, TVector> Table;
        public readonly int FeatureStride;

        public Workspace(ref ScratchAllocator scratch, in DeformableSamplingParameters<TStorage> parameters)
        {
            int points = parameters.Points;
            long values = (long)parameters.Groups * points * Length;
            FeatureStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(
                parameters.Groups * parameters.GroupChannels);
            Features = scratch.Take<TReal>((long)Length * FeatureStride);
            Weights = scratch.Take<TReal>(values);
            Scratch = scratch.Take<TReal>(DeformableSteps<TSimd, TStorage, TReal, TVector>.ScratchLength(points));
            Products = scratch.Take<TReal>(
                (long)points * DeformableTable<TSimd, TStorage, TReal, TVector>.Corners * Length);
            Scores = scratch.Take<TReal>(values);
            Slopes = scratch.Take<TReal>(2 * values);
            Outside = scratch.Take<TStorage>(parameters.GroupChannels);
            Table = new DeformableTable<TSimd, TStorage, TReal, TVector>(ref scratch, points, parameters.Groups);
        }
    }
}

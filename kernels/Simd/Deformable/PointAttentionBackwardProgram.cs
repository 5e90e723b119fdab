using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The first backward pass of attention over points on the CPU, tiled like the forward: the products of query and key, and
/// of the output's gradient and the value, give scores, weights and their gradients as well as the slopes of both along the
/// offsets. The gradients of key and value are <see cref="PointScatterProgram{TSimd, TStorage, T, TVector}"/>'s.
/// </summary>
public readonly unsafe struct PointAttentionBackwardProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<PointAttentionBackwardParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int Length = PointTable<TSimd, TStorage, T, TVector>.Length;

    /// <inheritdoc/>
    public static long TileCount(in PointAttentionBackwardParameters<TStorage> parameters) =>
        parameters.Forward.Extent().Runs(Length);

    /// <inheritdoc/>
    public static double Operations(in PointAttentionBackwardParameters<TStorage> parameters) =>
        2 * PointAttentionSteps<TSimd, TStorage, T, TVector>.Operations(in parameters.Forward);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointAttentionBackwardParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters.Forward);
        return scratch.Used;
    }

    /// <inheritdoc/>
    public static void Begin(in PointAttentionBackwardParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        new Workspace(ref allocator, in parameters.Forward).Steps.Clear(in parameters.Forward);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointAttentionBackwardParameters<TStorage> parameters, long tile, byte* scratch)
    {
        ref readonly var forward = ref parameters.Forward;
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in forward);
        var extent = forward.Extent();
        var span = PixelSpan.Locate(in extent, tile, Length);
        int all = forward.Groups * forward.Points;
        workspace.Steps.Begin(in forward, in span);
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in forward.Output),
            in span,
            workspace.GradOutput,
            forward.Groups * forward.ValueChannels,
            workspace.GradOutputStride);
        new Span<T>(workspace.GradOffsets, 2 * all * Length).Clear();
        new Span<T>(workspace.GradQuery, Length * workspace.GradQueryStride).Clear();
        for (int group = 0; group < forward.Groups; group++)
            Differentiate(in parameters, in span, group, in workspace);
        if (parameters.NeedsWeights != 0)
            Store(workspace.Weights, new MapPointer<TStorage>(in parameters.Weights), in span, all);
        if (parameters.NeedsGradScores != 0)
            Store(workspace.GradScores, new MapPointer<TStorage>(in parameters.GradScores), in span, all);
        if (parameters.NeedsGradOffsets != 0)
            Store(workspace.GradOffsets, new MapPointer<TStorage>(in parameters.GradOffsets), in span, 2 * all);
        if (parameters.NeedsGradQuery != 0)
        {
            PixelRows<TSimd, TStorage, T, TVector>.Store(
                workspace.GradQuery,
                workspace.GradQueryStride,
                new MapPointer<TStorage>(in parameters.GradQuery),
                in span,
                forward.Groups * forward.KeyChannels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in PointAttentionBackwardParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        ref readonly var forward = ref parameters.Forward;
        int points = forward.Points;
        int values = group * points * Length;
        T* weights = workspace.Weights + values;
        T* gradScores = workspace.GradScores + values;
        T* gradOffsets = workspace.GradOffsets + 2 * values;
        var steps = workspace.Steps;
        var table = steps.Table;
        steps.Score(in forward, in span, group, weights);
        PointSteps<TSimd, TStorage, T, TVector>.Softmax(weights, points);
        bool needsScores = (parameters.NeedsGradScores | parameters.NeedsGradQuery | parameters.NeedsGradOffsets) != 0;
        if (!needsScores)
            return;
        steps.Multiply(
            table.Second,
            workspace.GradOutput + group * forward.ValueChannels,
            workspace.GradOutputStride,
            forward.ValueChannels,
            points,
            span.Count,
            workspace.Products);
        PointSteps<TSimd, TStorage, T, TVector>.Scores(table.Shares, workspace.Products, points, gradScores);
        PointSteps<TSimd, TStorage, T, TVector>.SoftmaxBackward(weights, gradScores, points);
        if (parameters.NeedsGradOffsets != 0)
        {
            PointSteps<TSimd, TStorage, T, TVector>.AddSlopes(
                workspace.Products, in table, weights, points, gradOffsets);
            PointSteps<TSimd, TStorage, T, TVector>.AddSlopes(steps.Products, in table, gradScores, points, gradOffsets);
        }
        if (parameters.NeedsGradQuery == 0)
            return;
        table.Weigh(gradScores);
        PointSteps<TSimd, TStorage, T, TVector>.AddCells(
            table.First,
            table.Shares,
            table.CellsPerQuery,
            span.Count,
            workspace.GradQuery + group * forward.KeyChannels,
            workspace.GradQueryStride,
            forward.KeyChannels);
    }

    private static void Store(T* block, in MapPointer<TStorage> map, in PixelSpan span, int channels) =>
        QueryBlock<TSimd, TStorage, T, TVector>.Store(
            block, Length, in map, map.At(span.Image, 0, span.Row, span.Column), channels, span.Count);

    private readonly struct Workspace
    {
        public readonly PointAttentionSteps<TSimd, TStorage, T, TVector> Steps;
        public readonly T* GradOutput;
        public readonly T* Products;
        public readonly T* Weights;
        public readonly T* GradScores;
        public readonly T* GradOffsets;
        public readonly T* GradQuery;
        public readonly int GradOutputStride;
        public readonly int GradQueryStride;

        public Workspace(ref ScratchAllocator scratch, in PointAttentionParameters<TStorage> forward)
        {
            long values = (long)forward.Groups * forward.Points * Length;
            Steps = new(ref scratch, in forward);
            GradOutputStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(forward.Groups * forward.ValueChannels);
            GradQueryStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(forward.Groups * forward.KeyChannels);
            GradOutput = scratch.Take<T>((long)Length * GradOutputStride);
            Products = scratch.Take<T>((long)forward.Points * PointTable<TSimd, TStorage, T, TVector>.Corners * Length);
            Weights = scratch.Take<T>(values);
            GradScores = scratch.Take<T>(values);
            GradOffsets = scratch.Take<T>(2 * values);
            GradQuery = scratch.Take<T>((long)Length * GradQueryStride);
        }
    }
}

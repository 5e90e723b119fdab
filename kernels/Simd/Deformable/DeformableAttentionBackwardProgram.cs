using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The first backward pass of deformable attention on the CPU, tiled like the forward: the products of query and key,
/// and of the output's gradient and the value, give scores, weights and their gradients as well as the slopes of both
/// along the offsets. The gradients of key and value are
/// <see cref="DeformableScatterProgram{TSimd, TStorage, TReal, TVector}"/>'s.
/// </summary>
internal readonly unsafe struct DeformableAttentionBackwardProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<DeformableAttentionBackwardParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Length = DeformableTable<TSimd, TStorage, TReal, TVector>.Length;

    public static long TileCount(in DeformableAttentionBackwardParameters<TStorage> parameters) =>
        parameters.Forward.Extent().Runs(Length);

    public static double Operations(in DeformableAttentionBackwardParameters<TStorage> parameters) =>
        2 * DeformableAttentionSteps<TSimd, TStorage, TReal, TVector>.Operations(in parameters.Forward);

    public static long ScratchBytes(in DeformableAttentionBackwardParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters.Forward);
        return scratch.Used;
    }

    public static void Begin(in DeformableAttentionBackwardParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        new Workspace(ref allocator, in parameters.Forward).Steps.Clear(in parameters.Forward);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in DeformableAttentionBackwardParameters<TStorage> parameters, long tile, byte* scratch)
    {
        ref readonly var forward = ref parameters.Forward;
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in forward);
        var extent = forward.Extent();
        var span = PixelSpan.Locate(in extent, tile, Length);
        int all = forward.Groups * forward.Points;
        workspace.Steps.Begin(in forward, in span);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(
            new MapPointer<TStorage>(in forward.Output),
            in span,
            workspace.GradOutput,
            forward.Groups * forward.ValueChannels,
            workspace.GradOutputStride);
        new Span<TReal>(workspace.GradOffsets, 2 * all * Length).Clear();
        new Span<TReal>(workspace.GradQuery, Length * workspace.GradQueryStride).Clear();
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
            PixelRows<TSimd, TStorage, TReal, TVector>.Store(
                workspace.GradQuery,
                workspace.GradQueryStride,
                new MapPointer<TStorage>(in parameters.GradQuery),
                in span,
                forward.Groups * forward.KeyChannels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in DeformableAttentionBackwardParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        ref readonly var forward = ref parameters.Forward;
        int points = forward.Points;
        int values = group * points * Length;
        TReal* weights = workspace.Weights + values;
        TReal* gradScores = workspace.GradScores + values;
        TReal* gradOffsets = workspace.GradOffsets + 2 * values;
        var steps = workspace.Steps;
        var table = steps.Table;
        steps.Score(in forward, in span, group, weights);
        DeformableSteps<TSimd, TStorage, TReal, TVector>.Softmax(weights, points);
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
        DeformableSteps<TSimd, TStorage, TReal, TVector>.Scores(
            table.BilinearWeights, workspace.Products, points, gradScores);
        DeformableSteps<TSimd, TStorage, TReal, TVector>.SoftmaxBackward(weights, gradScores, points);
        if (parameters.NeedsGradOffsets != 0)
        {
            DeformableSteps<TSimd, TStorage, TReal, TVector>.AddSlopes(
                workspace.Products, in table, weights, points, gradOffsets);
            DeformableSteps<TSimd, TStorage, TReal, TVector>.AddSlopes(
                steps.Products, in table, gradScores, points, gradOffsets);
        }
        if (parameters.NeedsGradQuery == 0)
            return;
        table.Weigh(gradScores);
        DeformableSteps<TSimd, TStorage, TReal, TVector>.AddCells(
            table.First,
            table.BilinearWeights,
            table.CellsPerQuery,
            span.Count,
            workspace.GradQuery + group * forward.KeyChannels,
            workspace.GradQueryStride,
            forward.KeyChannels);
    }

    private static void Store(TReal* block, in MapPointer<TStorage> map, in PixelSpan span, int channels) =>
        QueryBlock<TSimd, TStorage, TReal, TVector>.Store(
            block, Length, in map, map.At(span.Image, 0, span.Row, span.Column), channels, span.Count);

    private readonly struct Workspace
    {
        public readonly DeformableAttentionSteps<TSimd, TStorage, TReal, TVector> Steps;
        public readonly TReal* GradOutput;
        public readonly TReal* Products;
        public readonly TReal* Weights;
        public readonly TReal* GradScores;
        public readonly TReal* GradOffsets;
        public readonly TReal* GradQuery;
        public readonly int GradOutputStride;
        public readonly int GradQueryStride;

        public Workspace(ref ScratchAllocator scratch, in DeformableAttentionParameters<TStorage> forward)
        {
            long values = (long)forward.Groups * forward.Points * Length;
            Steps = new(ref scratch, in forward);
            GradOutputStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(
                forward.Groups * forward.ValueChannels);
            GradQueryStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(forward.Groups * forward.KeyChannels);
            GradOutput = scratch.Take<TReal>((long)Length * GradOutputStride);
            Products = scratch.Take<TReal>(
                (long)forward.Points * DeformableTable<TSimd, TStorage, TReal, TVector>.Corners * Length);
            Weights = scratch.Take<TReal>(values);
            GradScores = scratch.Take<TReal>(values);
            GradOffsets = scratch.Take<TReal>(2 * values);
            GradQuery = scratch.Take<TReal>((long)Length * GradQueryStride);
        }
    }
}

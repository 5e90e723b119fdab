using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The whole backward of deformable attention on the CPU, a tile being one group of one image: every run of queries
/// adds what it contributes to the gradients of key and value right where its points were found. What it computes is,
/// to the last bit, what <see cref="DeformableAttentionBackwardProgram{TSimd, TStorage, TReal, TVector}"/> and
/// <see cref="DeformableScatterProgram{TSimd, TStorage, TReal, TVector}"/> compute, which have work for more threads
/// but find all points three times.
/// </summary>
/// <remarks>
/// Memory: of the group, every operand is read once and every gradient written once; the sums of the cells lie like the
/// cells.
/// </remarks>
/// <typeparam name="TSimd">The vector arithmetic of the maps.</typeparam>
/// <typeparam name="TStorage">The type of the maps.</typeparam>
/// <typeparam name="TReal">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="TReal"/>.</typeparam>
/// <typeparam name="TStagedSimd">The vector arithmetic of what is staged.</typeparam>
internal readonly unsafe struct DeformableAttentionGroupBackwardProgram<TSimd, TStorage, TReal, TVector, TStagedSimd>
    : ITileProgram<DeformableAttentionGroupParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TStagedSimd : struct, ISimd<TReal, TReal, TVector>
{
    private const int Length = DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.Length;

    public static long TileCount(in DeformableAttentionGroupParameters<TStorage> parameters) =>
        (long)parameters.Forward.Batch * parameters.Forward.Groups;

    public static double Operations(in DeformableAttentionGroupParameters<TStorage> parameters) =>
        4 * DeformableAttentionSteps<TSimd, TStorage, TReal, TVector>.Operations(in parameters.Forward);

    public static long ScratchBytes(in DeformableAttentionGroupParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters.Forward);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in DeformableAttentionGroupParameters<TStorage> parameters, long tile, byte* scratch)
    {
        ref readonly var forward = ref parameters.Forward;
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in forward);
        (int image, int group) = ((int)(tile / forward.Groups), (int)(tile % forward.Groups));
        workspace.Staged.Stage(in forward, image, group);
        NativeMemory.Clear(workspace.Sums, (nuint)(workspace.SumCount * sizeof(TReal)));
        long runs = DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.Runs(in forward);
        for (long run = 0; run < runs; run++)
        {
            var span = DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.Run(in forward, image, run);
            var next = default(PrefetchQueue);
            if (run + 1 < runs)
                PrefetchNextRow(in forward, image, group, run + 1, 2 * span.Count, ref next);
            Differentiate(in parameters, in span, group, in workspace, ref next);
        }
        int values = forward.ValueChannels;
        int keys = forward.KeyChannels;
        var gradValue = new MapPointer<TStorage>(in parameters.GradValue, group * values);
        var gradKey = new MapPointer<TStorage>(in parameters.GradKey, group * keys);
        if (parameters.NeedsGradValue != 0)
            Store(in gradValue, in forward, image, 0, values, in workspace);
        if (parameters.NeedsGradKey != 0)
            Store(in gradKey, in forward, image, values, keys, in workspace);
    }

    // What the next run reads.
    private static void PrefetchNextRow(
        in DeformableAttentionParameters<TStorage> forward, int image, int group, long run, int steps, ref PrefetchQueue next)
    {
        var span = DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.Run(in forward, image, run);
        next.AddPixels(
            new MapPointer<TStorage>(in forward.Output), in span, group * forward.ValueChannels, forward.ValueChannels);
        DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.PrefetchNextRow(
            in forward, in span, group, ref next);
        next.Plan(steps);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in DeformableAttentionGroupParameters<TStorage> parameters,
        in PixelSpan span,
        int group,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var forward = ref parameters.Forward;
        int points = forward.Points;
        int values = forward.ValueChannels;
        var staged = workspace.Staged;
        staged.ComputeWeights(in forward, in span, group);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(
            new MapPointer<TStorage>(in forward.Output, group * values), in span, staged.Features, values, staged.Stride);
        if ((parameters.NeedsGradQuery | parameters.NeedsGradKey | parameters.NeedsGradOffsets) != 0)
        {
            staged.Multiply(points, span.Count, 0, values, workspace.ValueProducts);
            DeformableSteps<TStagedSimd, TReal, TReal, TVector>.Scores(
                staged.Table.BilinearWeights, workspace.ValueProducts, points, workspace.GradScores);
            DeformableSteps<TStagedSimd, TReal, TReal, TVector>.SoftmaxBackward(
                staged.Weights, workspace.GradScores, points);
        }
        if (parameters.NeedsGradOffsets != 0)
            StoreGradOffsets(in parameters, in span, group, in workspace);
        if (parameters.NeedsGradQuery != 0)
            StoreGradQuery(in parameters, in span, group, in workspace);
        if (parameters.NeedsGradValue != 0)
            Spread(in span, staged.Weights, points, 0, values, in workspace, ref next);
        if (parameters.NeedsGradKey != 0)
            Spread(in span, workspace.GradScores, points, values, forward.KeyChannels, in workspace, ref next);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreGradOffsets(
        in DeformableAttentionGroupParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        int points = parameters.Forward.Points;
        var staged = workspace.Staged;
        var table = staged.Table;
        new Span<TReal>(workspace.GradOffsets, 2 * points * Length).Clear();
        DeformableSteps<TSimd, TStorage, TReal, TVector>.AddSlopes(
            workspace.ValueProducts, in table, staged.Weights, points, workspace.GradOffsets);
        DeformableSteps<TSimd, TStorage, TReal, TVector>.AddSlopes(
            staged.KeyProducts, in table, workspace.GradScores, points, workspace.GradOffsets);
        var map = new MapPointer<TStorage>(in parameters.GradOffsets, group * 2 * points);
        QueryBlock<TSimd, TStorage, TReal, TVector>.Store(
            workspace.GradOffsets, Length, in map, map.At(span.Image, 0, span.Row, span.Column), 2 * points, span.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreGradQuery(
        in DeformableAttentionGroupParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        ref readonly var forward = ref parameters.Forward;
        int channels = forward.KeyChannels;
        var staged = workspace.Staged;
        new Span<TReal>(workspace.GradQuery, span.Count * channels).Clear();
        staged.Table.Weigh(workspace.GradScores, staged.BilinearWeights);
        DeformableSteps<TStagedSimd, TReal, TReal, TVector>.AddCells(
            staged.Table.First,
            staged.BilinearWeights,
            staged.Table.CellsPerQuery,
            span.Count,
            workspace.GradQuery,
            channels,
            channels,
            first: forward.ValueChannels);
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.GradQuery,
            channels,
            new MapPointer<TStorage>(in parameters.GradQuery, group * channels),
            in span,
            channels);
    }

    // Adds some channels of the features, each times a value of its point, to the sums of the cells around them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Spread(
        in PixelSpan span,
        TReal* perPoint,
        int points,
        int first,
        int channels,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        var staged = workspace.Staged;
        var table = staged.Table;
        Round(perPoint, points * Length, workspace.Rounded);
        table.Weigh(perPoint, staged.BilinearWeights);
        nint toSums = (nint)(workspace.Sums - staged.Cells + first) * sizeof(TReal);
        TReal* features = staged.Features + first;
        for (int i = 0; i < span.Count; i++, features += staged.Stride)
        {
            DeformableSteps<TStagedSimd, TReal, TReal, TVector>.Spread(
                table.First + i, toSums, staged.BilinearWeights + i, table.CellsPerQuery, features, channels);
            next.Step();
        }
    }

    // As if the values had been written to a map and read again.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Round(TReal* values, int count, TStorage* scratchValues)
    {
        if (typeof(TStorage) == typeof(TReal))
            return;
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            TSimd.StoreStorage(scratchValues, TSimd.Load(values + i));
            TSimd.Store(values + i, TSimd.LoadStorage(scratchValues));
        }
    }

    private static void Store(
        in MapPointer<TStorage> gradient,
        in DeformableAttentionParameters<TStorage> forward,
        int image,
        int first,
        int channels,
        in Workspace workspace) => PixelRows<TSimd, TStorage, TReal, TVector>.StoreImage(
            workspace.Sums + first,
            workspace.Staged.Stride,
            in gradient,
            image,
            forward.Rows.Cells,
            forward.Columns.Cells,
            channels);

    private readonly struct Workspace
    {
        public readonly DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd> Staged;
        public readonly TReal* Sums;
        public readonly TReal* ValueProducts;
        public readonly TReal* GradScores;
        public readonly TReal* GradOffsets;
        public readonly TReal* GradQuery;
        public readonly TStorage* Rounded;
        public readonly long SumCount;

        public Workspace(ref ScratchAllocator scratch, in DeformableAttentionParameters<TStorage> forward)
        {
            int points = forward.Points;
            Staged = new(ref scratch, in forward);
            SumCount =
                DeformableGroup<TSimd, TStorage, TReal, TVector, TStagedSimd>.CellCount(in forward) * Staged.Stride;
            Sums = scratch.Take<TReal>(SumCount);
            ValueProducts = scratch.Take<TReal>(
                (long)points * DeformableTable<TSimd, TStorage, TReal, TVector>.Corners * Length);
            GradScores = scratch.Take<TReal>((long)points * Length);
            GradOffsets = scratch.Take<TReal>(2L * points * Length);
            GradQuery = scratch.Take<TReal>((long)Length * forward.KeyChannels);
            Rounded = scratch.Take<TStorage>(TSimd.Lanes);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The whole backward of attention over points on the CPU, a tile being one group of one image: every run of queries adds
/// what it contributes to the gradients of key and value right where its points were found. What it computes is, to the last
/// bit, what <see cref="PointAttentionBackwardProgram{TSimd, TStorage, T, TVector}"/> and
/// <see cref="PointScatterProgram{TSimd, TStorage, T, TVector}"/> compute, which have work for more threads but find all points
/// three times.
/// </summary>
/// <remarks>
/// Memory: of the group, every operand is read once and every gradient written once; the sums of the cells lie like the cells.
/// </remarks>
/// <typeparam name="TSimd">The vector arithmetic of the tensors.</typeparam>
/// <typeparam name="TStorage">The type of the tensors.</typeparam>
/// <typeparam name="T">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="T"/>.</typeparam>
/// <typeparam name="TStagedSimd">The vector arithmetic of what is staged.</typeparam>
public readonly unsafe struct PointAttentionGroupBackwardProgram<TSimd, TStorage, T, TVector, TStagedSimd>
    : ITileProgram<PointAttentionGroupParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TStagedSimd : struct, ISimd<T, T, TVector>
{
    private const int Length = PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Length;

    /// <inheritdoc/>
    public static long TileCount(in PointAttentionGroupParameters<TStorage> parameters) =>
        (long)parameters.Forward.Batch * parameters.Forward.Groups;

    /// <inheritdoc/>
    public static double Operations(in PointAttentionGroupParameters<TStorage> parameters) =>
        4 * PointAttentionSteps<TSimd, TStorage, T, TVector>.Operations(in parameters.Forward);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointAttentionGroupParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters.Forward);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointAttentionGroupParameters<TStorage> parameters, long tile, byte* scratch)
    {
        ref readonly var forward = ref parameters.Forward;
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in forward);
        (int image, int group) = ((int)(tile / forward.Groups), (int)(tile % forward.Groups));
        workspace.Staged.Stage(in forward, image, group);
        NativeMemory.Clear(workspace.Sums, (nuint)(workspace.SumCount * sizeof(T)));
        long runs = PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Runs(in forward);
        for (long run = 0; run < runs; run++)
        {
            var span = PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Run(in forward, image, run);
            var next = default(PrefetchQueue);
            if (run + 1 < runs)
                Foresee(in forward, image, group, run + 1, 2 * span.Count, ref next);
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
    private static void Foresee(
        in PointAttentionParameters<TStorage> forward, int image, int group, long run, int steps, ref PrefetchQueue next)
    {
        var span = PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Run(in forward, image, run);
        next.AddPixels(
            new MapPointer<TStorage>(in forward.Output), in span, group * forward.ValueChannels, forward.ValueChannels);
        PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.Foresee(in forward, in span, group, ref next);
        next.Plan(steps);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in PointAttentionGroupParameters<TStorage> parameters,
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
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in forward.Output, group * values), in span, staged.Features, values, staged.Stride);
        if ((parameters.NeedsGradQuery | parameters.NeedsGradKey | parameters.NeedsGradOffsets) != 0)
        {
            staged.Multiply(points, span.Count, 0, values, workspace.ValueProducts);
            PointSteps<TStagedSimd, T, T, TVector>.Scores(
                staged.Table.Shares, workspace.ValueProducts, points, workspace.GradScores);
            PointSteps<TStagedSimd, T, T, TVector>.SoftmaxBackward(staged.Weights, workspace.GradScores, points);
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
        in PointAttentionGroupParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        int points = parameters.Forward.Points;
        var staged = workspace.Staged;
        var table = staged.Table;
        new Span<T>(workspace.GradOffsets, 2 * points * Length).Clear();
        PointSteps<TSimd, TStorage, T, TVector>.AddSlopes(
            workspace.ValueProducts, in table, staged.Weights, points, workspace.GradOffsets);
        PointSteps<TSimd, TStorage, T, TVector>.AddSlopes(
            staged.KeyProducts, in table, workspace.GradScores, points, workspace.GradOffsets);
        var map = new MapPointer<TStorage>(in parameters.GradOffsets, group * 2 * points);
        QueryBlock<TSimd, TStorage, T, TVector>.Store(
            workspace.GradOffsets, Length, in map, map.At(span.Image, 0, span.Row, span.Column), 2 * points, span.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreGradQuery(
        in PointAttentionGroupParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        ref readonly var forward = ref parameters.Forward;
        int channels = forward.KeyChannels;
        var staged = workspace.Staged;
        new Span<T>(workspace.GradQuery, span.Count * channels).Clear();
        staged.Table.Weigh(workspace.GradScores, staged.Shares);
        PointSteps<TStagedSimd, T, T, TVector>.AddCells(
            staged.Table.First,
            staged.Shares,
            staged.Table.CellsPerQuery,
            span.Count,
            workspace.GradQuery,
            channels,
            channels,
            first: forward.ValueChannels);
        PixelRows<TSimd, TStorage, T, TVector>.Store(
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
        T* perPoint,
        int points,
        int first,
        int channels,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        var staged = workspace.Staged;
        var table = staged.Table;
        Round(perPoint, points * Length, workspace.Rounded);
        table.Weigh(perPoint, staged.Shares);
        nint toSums = (nint)(workspace.Sums - staged.Cells + first) * sizeof(T);
        T* features = staged.Features + first;
        for (int i = 0; i < span.Count; i++, features += staged.Stride)
        {
            PointSteps<TStagedSimd, T, T, TVector>.Spread(
                table.First + i, toSums, staged.Shares + i, table.CellsPerQuery, features, channels);
            next.Step();
        }
    }

    // As if the values had been written to a tensor and read again.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Round(T* values, int count, TStorage* room)
    {
        if (typeof(TStorage) == typeof(T))
            return;
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            TSimd.StoreStorage(room, TSimd.Load(values + i));
            TSimd.Store(values + i, TSimd.LoadStorage(room));
        }
    }

    private static void Store(
        in MapPointer<TStorage> gradient,
        in PointAttentionParameters<TStorage> forward,
        int image,
        int first,
        int channels,
        in Workspace workspace) => PixelRows<TSimd, TStorage, T, TVector>.StoreImage(
            workspace.Sums + first,
            workspace.Staged.Stride,
            in gradient,
            image,
            forward.Rows.Cells,
            forward.Columns.Cells,
            channels);

    private readonly struct Workspace
    {
        public readonly PointGroup<TSimd, TStorage, T, TVector, TStagedSimd> Staged;
        public readonly T* Sums;
        public readonly T* ValueProducts;
        public readonly T* GradScores;
        public readonly T* GradOffsets;
        public readonly T* GradQuery;
        public readonly TStorage* Rounded;
        public readonly long SumCount;

        public Workspace(ref ScratchAllocator scratch, in PointAttentionParameters<TStorage> forward)
        {
            int points = forward.Points;
            Staged = new(ref scratch, in forward);
            SumCount = PointGroup<TSimd, TStorage, T, TVector, TStagedSimd>.CellCount(in forward) * Staged.Stride;
            Sums = scratch.Take<T>(SumCount);
            ValueProducts = scratch.Take<T>((long)points * PointTable<TSimd, TStorage, T, TVector>.Corners * Length);
            GradScores = scratch.Take<T>((long)points * Length);
            GradOffsets = scratch.Take<T>(2L * points * Length);
            GradQuery = scratch.Take<T>((long)Length * forward.KeyChannels);
            Rounded = scratch.Take<TStorage>(TSimd.Lanes);
        }
    }
}

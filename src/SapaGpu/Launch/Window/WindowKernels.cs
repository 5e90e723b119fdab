using System.Numerics;
using ILGPU.Runtime;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>A window problem of one head with its choices.</summary>
internal readonly record struct WindowProblem(WindowShape Shape, BorderRule Border, ScoreNormalisation Normalisation)
{
    public WindowExtent Extent => Shape.Extent(Border);
}

/// <summary>The window operators on maps of one element type and one head, arguments checked.</summary>
internal abstract class WindowKernels
{
    private static readonly KernelsByElement<WindowKernels> Known = new(typeof(WindowKernels<,,>));

    /// <summary>The operators of an element type.</summary>
    public static WindowKernels For(ElementType elementType) => Known[elementType];

    /// <summary>Fused forward; the normaliser is written where a map for it is given.</summary>
    public abstract void Forward(
        in WindowProblem problem, FeatureMap query, FeatureMap key, FeatureMap value, FeatureMap output, FeatureMap? normaliser);

    /// <summary>Fused backward; gradients that are null are not computed.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="operands">What the forward read and saved, and the gradient that comes back.</param>
    /// <param name="gradQuery">The gradient of the query.</param>
    /// <param name="gradKey">The gradient of the key.</param>
    /// <param name="gradValue">The gradient of the value.</param>
    /// <param name="accumulateValue">Whether the gradient of the value is added to what is there.</param>
    public abstract void Backward(
        in WindowProblem problem,
        in AttentionOperands operands,
        FeatureMap? gradQuery,
        FeatureMap? gradKey,
        FeatureMap? gradValue,
        bool accumulateValue);

    /// <summary>scores = ⟨query, key⟩ over the window.</summary>
    public abstract void Scores(in WindowProblem problem, FeatureMap query, FeatureMap key, FeatureMap scores);

    /// <summary>output = Σ weights · value over the window.</summary>
    public abstract void Reassembly(in WindowProblem problem, FeatureMap weights, FeatureMap value, FeatureMap output);

    /// <summary>The adjoint of the reassembly: result = Σ weights · source over the queries that see a cell.</summary>
    public abstract void Transposed(
        in WindowProblem problem, FeatureMap weights, FeatureMap source, FeatureMap result, bool accumulate);

    /// <summary>The tiles of a band, for kernels that keep some arrays of a value for every query and tap.</summary>
    /// <param name="shape">The problem.</param>
    /// <param name="band">The band.</param>
    /// <param name="arrays">The arrays.</param>
    /// <param name="vectors">Whether channels lie side by side and are accessed four at a time.</param>
    public static CellTiling Tiling<TElement, TStorage, TReal>(
        in WindowShape shape, in RowBand band, int arrays, bool vectors)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        const int WidestByVectors = 8;
        const int WidestByRows = 32;
        return CellTiling.Create(
            shape.KeyShape.Width,
            in band,
            TElement.SharedCapacity,
            4 * shape.Window * shape.Window * arrays,
            vectors ? WidestByVectors : WidestByRows);
    }

    /// <summary>The choice of kernels, for people.</summary>
    public abstract KernelVariant Plan(
        in WindowProblem problem, FeatureMap query, FeatureMap key, FeatureMap value, FeatureMap? output);
}

/// <summary>What the forward read and saved, and the gradient that comes back.</summary>
internal readonly record struct AttentionOperands(
    FeatureMap Query, FeatureMap Key, FeatureMap Value, FeatureMap Normaliser, FeatureMap GradOutput);

/// <summary>The window operators with the element type's accumulator.</summary>
internal sealed class WindowKernels<TElement, TStorage, TReal> : WindowKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private static readonly Type AccumulatorElement =
        typeof(TReal) == typeof(double) ? typeof(Float64Element) : typeof(Float32Element);

    private readonly VariantTable<WindowAttentionParameters<TStorage, TReal>> forward = new(Variants.Forward);
    private readonly VariantTable<WindowAttentionBackwardParameters<TStorage, TReal>> backward =
        new(Variants.Backward);

    private readonly VariantTable<WindowSimilarityParameters<TStorage>> similarity = new(Variants.Scores);
    private readonly VariantTable<WindowReassemblyParameters<TStorage>> reassembly = new(Variants.Reassembly);
    private readonly VariantTable<TransposedReassemblyParameters<TStorage, TStorage>> transposed =
        new(v => Variants.Transposed<TStorage>(v, typeof(TElement)));

    private readonly VariantTable<TransposedReassemblyParameters<TStorage, TReal>> transposedWide =
        new(v => Variants.Transposed<TReal>(v, AccumulatorElement));

    private readonly VariantTable<WindowWeightsParameters<TStorage, TReal>> fold = new(v => v.VectorBits > 0
        ? KernelVariants.Tiles<WindowWeightsParameters<TStorage, TReal>>(
            typeof(WeightFoldProgram<,,,>), KernelVariants.SimdArguments<TElement, TStorage, TReal>(v))
        : KernelVariants.Group<WindowWeightsParameters<TStorage, TReal>>(
            typeof(MapKernel<WeightFold<TElement, TStorage, TReal>, WindowWeightsParameters<TStorage, TReal>>)));

    public override KernelVariant Plan(
        in WindowProblem problem, FeatureMap query, FeatureMap key, FeatureMap value, FeatureMap? output) =>
        KernelVariant.Choose(
            query.Device,
            problem.Extent,
            problem.Border,
            problem.Normalisation,
            Pack4Layout.Fits(query) && Pack4Layout.Fits(key),
            Pack4Layout.Fits(value) && (output is null || Pack4Layout.Fits(output)));

    public override void Forward(
        in WindowProblem problem, FeatureMap query, FeatureMap key, FeatureMap value, FeatureMap output, FeatureMap? normaliser)
    {
        var band = problem.Shape.WholeBand;
        var variant = Plan(in problem, query, key, value, output);
        var parameters = new WindowAttentionParameters<TStorage, TReal>
        {
            Extent = problem.Extent,
            Band = ForThreads(in band, query.Device),
            Tiling = Tiling(in problem, in band, arrays: 1, variant.ValueVectors),
            Query = query.Map<TStorage>(),
            Key = key.Map<TStorage>(),
            Value = value.Map<TStorage>(),
            Output = output.Map<TStorage>(),
            Normaliser = normaliser is null ? Placeholder(query) : normaliser.Map<TReal>(),
            SaveNormaliser = normaliser is null ? 0 : 1,
        };
        forward[variant].Launch(query.Device.Launcher, in parameters);
    }

    public override void Backward(
        in WindowProblem problem,
        in AttentionOperands operands,
        FeatureMap? gradQuery,
        FeatureMap? gradKey,
        FeatureMap? gradValue,
        bool accumulateValue)
    {
        var device = operands.Query.Device;
        var extent = problem.Extent;
        var plan = BandPlan.Create<TReal>(
            in extent, gradKey is not null, gradValue is not null, device.Options.WorkspaceBytes);
        var memory = plan.WorkspaceBytes > 0 ? device.Pool.Rent(plan.WorkspaceBytes) : null;
        try
        {
            for (int i = 0; i < plan.Count; i++)
            {
                plan.Band(i, out var cells, out var queries);
                Backward(
                    in problem, in operands, gradQuery, gradKey, gradValue, accumulateValue, memory, in cells, in queries);
            }
        }
        finally
        {
            if (memory is not null)
                device.Pool.Return(memory);
        }
    }

    public override void Scores(in WindowProblem problem, FeatureMap query, FeatureMap key, FeatureMap scores)
    {
        var band = problem.Shape.WholeBand;
        bool vectors = Pack4Layout.Fits(query) && Pack4Layout.Fits(key);
        var parameters = new WindowSimilarityParameters<TStorage>
        {
            Extent = problem.Extent,
            Band = ForThreads(in band, query.Device),
            Tiling = Tiling(in problem, in band, arrays: 1, vectors),
            Query = query.Map<TStorage>(),
            Key = key.Map<TStorage>(),
            Scores = scores.Map<TStorage>(),
        };
        similarity[Choose(query, in problem, vectors)].Launch(query.Device.Launcher, in parameters);
    }

    public override void Reassembly(in WindowProblem problem, FeatureMap weights, FeatureMap value, FeatureMap output)
    {
        var band = problem.Shape.WholeBand;
        bool vectors = Pack4Layout.Fits(value) && Pack4Layout.Fits(output);
        var parameters = new WindowReassemblyParameters<TStorage>
        {
            Extent = problem.Extent,
            Band = ForThreads(in band, value.Device),
            Tiling = Tiling(in problem, in band, arrays: 1, vectors),
            Weights = weights.Map<TStorage>(),
            Value = value.Map<TStorage>(),
            Output = output.Map<TStorage>(),
        };
        reassembly[Choose(value, in problem, vectors)].Launch(value.Device.Launcher, in parameters);
    }

    public override void Transposed(
        in WindowProblem problem, FeatureMap weights, FeatureMap source, FeatureMap result, bool accumulate)
    {
        var band = problem.Shape.WholeBand;
        if (problem.Border == BorderRule.Replicate)
            GatherFolded(in problem, in band, weights, source, result, accumulate);
        else if (WidensWeights(weights))
            GatherWidened(in problem, in band, weights, source, result, accumulate);
        else
            Gather(transposed, in problem, in band, weights.Map<TStorage>(), source, result, accumulate);
    }

    // Every weight is repeated in the lanes of a vector, which on the CPU costs more than its product where it has to
    // be widened first, and a weight meets many channels.
    private static bool WidensWeights(FeatureMap weights) =>
        weights.Device.RunsVectorPrograms && typeof(TStorage) != typeof(TReal);

    private static KernelVariant Choose(FeatureMap operand, in WindowProblem problem, bool vectors) =>
        KernelVariant.Choose(
            operand.Device, problem.Extent, problem.Border, ScoreNormalisation.Softmax, vectors, vectors);

    private static CellTiling Tiling(in WindowProblem problem, in RowBand band, int arrays, bool vectors) =>
        Tiling<TElement, TStorage, TReal>(problem.Shape, in band, arrays, vectors);

    // A view that a kernel does not touch still has to be one of the device.
    private static RowBand ForThreads(in RowBand band, ComputeDevice device)
    {
        const int TilesPerThread = 6;
        return band with { FewestTiles = TilesPerThread * device.Options.Threads };
    }

    private static MapView<TReal> Placeholder(FeatureMap tensor) =>
        new() { Data = tensor.Memory.View<TReal>(0) };

    private static void Gather<TWeight>(
        VariantTable<TransposedReassemblyParameters<TStorage, TWeight>> table,
        in WindowProblem problem,
        in RowBand band,
        MapView<TWeight> weights,
        FeatureMap source,
        FeatureMap result,
        bool accumulate)
        where TWeight : unmanaged
    {
        var extent = problem.Extent;
        extent.ValueChannels = result.Shape.Channels;
        var parameters = new TransposedReassemblyParameters<TStorage, TWeight>
        {
            Extent = extent,
            Band = ForThreads(in band, source.Device),
            Weights = weights,
            Source = source.Map<TStorage>(),
            Result = result.Map<TStorage>(),
            Accumulate = accumulate ? 1 : 0,
        };
        bool vectors = Pack4Layout.Fits(source) && Pack4Layout.Fits(result);
        table[Choose(source, in problem, vectors)].Launch(source.Device.Launcher, in parameters);
    }

    // Weights of taps outside belong to the cells that the taps stand for.
    private void GatherFolded(
        in WindowProblem problem, in RowBand band, FeatureMap weights, FeatureMap source, FeatureMap result, bool accumulate)
    {
        var device = weights.Device;
        long bytes = weights.Shape.ElementCount * ILGPU.Interop.SizeOf<TReal>();
        var memory = device.Pool.Rent(bytes);
        try
        {
            long used = 0;
            var extent = problem.Extent;
            var folded = BandPlan.View<TReal>(memory, in extent, in band, ref used);
            var parameters = new WindowWeightsParameters<TStorage, TReal>
            {
                Extent = extent,
                Heads = 1,
                Taps = extent.Taps,
                Source = weights.Map<TStorage>(),
                Result = folded,
            };
            fold.Launch(device, in parameters);
            Gather(transposedWide, in problem, in band, folded, source, result, accumulate);
        }
        finally
        {
            device.Pool.Return(memory);
        }
    }

    private void GatherWidened(
        in WindowProblem problem, in RowBand band, FeatureMap weights, FeatureMap source, FeatureMap result, bool accumulate)
    {
        using var wide = FeatureMap.Create(
            weights.Device, weights.Shape, weights.Format, weights.ElementType.Accumulator());
        ResamplingKernels.For(weights.ElementType).Widen(weights, wide);
        Gather(transposedWide, in problem, in band, wide.Map<TReal>(), source, result, accumulate);
    }

    private void Backward(
        in WindowProblem problem,
        in AttentionOperands operands,
        FeatureMap? gradQuery,
        FeatureMap? gradKey,
        FeatureMap? gradValue,
        bool accumulateValue,
        MemoryBuffer? memory,
        in RowBand cells,
        in RowBand queries)
    {
        var extent = problem.Extent;
        var weights = Placeholder(operands.Query);
        var gradScores = weights;
        long used = 0;
        if (gradValue is not null)
            weights = BandPlan.View<TReal>(memory!, in extent, in queries, ref used);
        if (gradKey is not null)
            gradScores = BandPlan.View<TReal>(memory!, in extent, in queries, ref used);

        bool vectorQuery = gradQuery is null || Pack4Layout.Fits(gradQuery);
        var variant = KernelVariant.Choose(
            operands.Query.Device,
            in extent,
            problem.Border,
            problem.Normalisation,
            Pack4Layout.Fits(operands.Query) && Pack4Layout.Fits(operands.Key) && vectorQuery,
            Pack4Layout.Fits(operands.Value) && Pack4Layout.Fits(operands.GradOutput));
        var parameters = new WindowAttentionBackwardParameters<TStorage, TReal>
        {
            Extent = extent,
            Band = ForThreads(in queries, operands.Query.Device),
            Tiling = Tiling(in problem, in queries, arrays: 2, variant.ValueVectors),
            Query = operands.Query.Map<TStorage>(),
            Key = operands.Key.Map<TStorage>(),
            Value = operands.Value.Map<TStorage>(),
            GradOutput = operands.GradOutput.Map<TStorage>(),
            Normaliser = operands.Normaliser.Map<TReal>(),
            GradQuery = (gradQuery ?? operands.Query).Map<TStorage>(),
            Weights = weights,
            GradScores = gradScores,
            NeedsGradQuery = gradQuery is null ? 0 : 1,
            NeedsWeights = gradValue is null ? 0 : 1,
            NeedsGradScores = gradKey is null ? 0 : 1,
        };
        backward[variant].Launch(operands.Query.Device.Launcher, in parameters);
        if (gradValue is not null)
            Gather(transposedWide, in problem, in cells, weights, operands.GradOutput, gradValue, accumulateValue);
        if (gradKey is not null)
            Gather(transposedWide, in problem, in cells, gradScores, operands.Query, gradKey, accumulate: false);
    }

    // The one list of which type parameters each kernel takes.
    private static class Variants
    {
        private static Type[] Element => [typeof(TElement), typeof(TStorage), typeof(TReal)];

        public static ILaunchable<WindowAttentionParameters<TStorage, TReal>> Forward(KernelVariant v) =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<WindowAttentionParameters<TStorage, TReal>>(
                    typeof(WindowAttentionForwardProgram<,,,,,>), [.. Simd(v), .. Rules(v)])
                : KernelVariants.Group<WindowAttentionParameters<TStorage, TReal>>(
                    typeof(WindowAttentionForward<,,,,,,,,>), [.. Element, .. Window(v), .. Rules(v), .. Accesses(v)]);

        public static ILaunchable<WindowAttentionBackwardParameters<TStorage, TReal>> Backward(KernelVariant v) =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<WindowAttentionBackwardParameters<TStorage, TReal>>(
                    typeof(WindowAttentionBackwardProgram<,,,,,,>),
                    [.. Simd(v), KernelVariants.Simd(v.VectorBits, typeof(TReal)).Simd, .. Rules(v)])
                : KernelVariants.Group<WindowAttentionBackwardParameters<TStorage, TReal>>(
                    typeof(WindowAttentionBackward<,,,,,,,,,>),
                    [.. Element, AccumulatorElement, .. Window(v), .. Rules(v), .. Accesses(v)]);

        public static ILaunchable<WindowSimilarityParameters<TStorage>> Scores(KernelVariant v) =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<WindowSimilarityParameters<TStorage>>(
                    typeof(WindowSimilarityProgram<,,,,>), [.. Simd(v), Replication(v)])
                : KernelVariants.Group<WindowSimilarityParameters<TStorage>>(
                    typeof(WindowSimilarityForward<,,,,,,>),
                    [
                        .. Element, .. Window(v), Replication(v), KernelVariants.Access(v.EmbeddingVectors),
                    ]);

        public static ILaunchable<WindowReassemblyParameters<TStorage>> Reassembly(KernelVariant v) =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<WindowReassemblyParameters<TStorage>>(
                    typeof(WindowReassemblyProgram<,,,,>), [.. Simd(v), Replication(v)])
                : KernelVariants.Group<WindowReassemblyParameters<TStorage>>(
                    typeof(WindowReassemblyForward<,,,,,,>),
                    [.. Element, .. Window(v), Replication(v), KernelVariants.Access(v.ValueVectors)]);

        public static ILaunchable<TransposedReassemblyParameters<TStorage, TWeight>> Transposed<TWeight>(
            KernelVariant v, Type weightElement)
            where TWeight : unmanaged =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<TransposedReassemblyParameters<TStorage, TWeight>>(
                    typeof(TransposedReassemblyProgram<,,,>), Simd(v))
                : KernelVariants.Group<TransposedReassemblyParameters<TStorage, TWeight>>(
                    typeof(TransposedReassembly<,,,,,,,>),
                    [.. Element, weightElement, typeof(TWeight), .. Window(v), KernelVariants.Access(v.ValueVectors)]);

        private static Type[] Window(KernelVariant v) =>
            [KernelVariants.Window(v.Window), KernelVariants.Scale(v.Scale)];

        // Without a normalisation to leave them out of, taps outside are masked by having score or value 0.
        private static Type Replication(KernelVariant v) => KernelVariants.Border(
            v.Border == BorderRule.Replicate ? BorderRule.Replicate : BorderRule.ZeroLogit);

        private static Type[] Rules(KernelVariant v) =>
            [KernelVariants.Border(v.Border), KernelVariants.Normalisation(v.Normalisation)];

        private static Type[] Accesses(KernelVariant v) =>
            [KernelVariants.Access(v.EmbeddingVectors), KernelVariants.Access(v.ValueVectors)];

        private static Type[] Simd(KernelVariant v) => KernelVariants.SimdArguments<TElement, TStorage, TReal>(v);
    }
}

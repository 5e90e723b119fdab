using System.Numerics;
using ILGPU.Runtime;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>A window problem of one head, with border and normalisation.</summary>
internal readonly record struct WindowProblem(WindowShape Shape, BorderRule Border, ScoreNormalisation Normalisation)
{
    public WindowExtent Extent => Shape.Extent(Border);
}

/// <summary>The window operators on maps of one element type and one head; callers check arguments.</summary>
internal abstract class WindowKernels
{
    private static readonly KernelsByElement<WindowKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static WindowKernels For(FeatureMap map) => Known.For(map);

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

    /// <summary>
    /// The tiles of a band, for kernels that keep arrays with a value per query and tap in shared memory.
    /// </summary>
    /// <param name="shape">The problem.</param>
    /// <param name="band">The band.</param>
    /// <param name="arrays">The number of arrays.</param>
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

    /// <summary>The kernel that the forward would run, for descriptions.</summary>
    public abstract KernelVariant Plan(
        in WindowProblem problem, FeatureMap query, FeatureMap key, FeatureMap value, FeatureMap? output);

    private readonly struct Factory : IKernelFactory<WindowKernels>
    {
        WindowKernels IKernelFactory<WindowKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new WindowKernels<TElement, TStorage, TReal, TRealElement>(arithmetic);
    }
}

/// <summary>What the forward read and saved, and the gradient that comes back.</summary>
internal readonly record struct AttentionOperands(
    FeatureMap Query, FeatureMap Key, FeatureMap Value, FeatureMap Normaliser, FeatureMap GradOutput);

/// <summary>The window operators with the element type's accumulator.</summary>
internal sealed class WindowKernels<TElement, TStorage, TReal, TRealElement>(
    ElementArithmetic<TStorage, TReal> arithmetic) : WindowKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TRealElement : struct, IElement<TReal, TReal>
{
    private readonly VariantTable<WindowAttentionParameters<TStorage, TReal>> forward =
        arithmetic.Table(new ForwardTiles(), new ForwardKernel());

    private readonly VariantTable<WindowAttentionBackwardParameters<TStorage, TReal>> backward =
        arithmetic.Table(new BackwardTiles(), new BackwardKernel());

    private readonly VariantTable<WindowSimilarityParameters<TStorage>> similarity =
        arithmetic.Table(new SimilarityTiles(), new SimilarityKernel(), WithoutMask);

    private readonly VariantTable<WindowReassemblyParameters<TStorage>> reassembly =
        arithmetic.Table(new ReassemblyTiles(), new ReassemblyKernel(), WithoutMask);

    // Weights as they are stored; vector programs take them in the type that they compute in.
    private readonly VariantTable<TransposedReassemblyParameters<TStorage, TStorage>> transposed =
        new(new TransposedKernel<TElement, TStorage>().Close);

    private readonly VariantTable<TransposedReassemblyParameters<TStorage, TReal>> transposedWide =
        arithmetic.Table(new TransposedTiles(), new TransposedKernel<TRealElement, TReal>());

    private readonly VariantTable<WindowWeightsParameters<TStorage, TReal>> fold = arithmetic.Table(
        new FoldTiles(),
        new MapKernelOf<WindowWeightsParameters<TStorage, TReal>, WeightFold<TElement, TStorage, TReal>>());

    public override KernelVariant Plan(
        in WindowProblem problem, FeatureMap query, FeatureMap key, FeatureMap value, FeatureMap? output) =>
        WithCellPairs(
            KernelVariant.Choose(
                query.Device,
                problem.Extent,
                problem.Border,
                problem.Normalisation,
                Pack4Layout.Fits(query) && Pack4Layout.Fits(key),
                Pack4Layout.Fits(value) && (output is null || Pack4Layout.Fits(output))),
            query.Device,
            [query, key],
            [value, output]);

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
            OutputByRows = Pack4Layout.HasColumnPacks(output) ? 1 : 0,
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
        var variant = WithCellPairs(Choose(query, in problem, vectors), query.Device, [query, key], []);
        similarity[variant].Launch(query.Device.Launcher, in parameters);
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
            OutputByRows = Pack4Layout.HasColumnPacks(output) ? 1 : 0,
        };
        var variant = WithCellPairs(Choose(value, in problem, vectors), value.Device, [], [value, output]);
        reassembly[variant].Launch(value.Device.Launcher, in parameters);
    }

    public override void Transposed(
        in WindowProblem problem, FeatureMap weights, FeatureMap source, FeatureMap result, bool accumulate)
    {
        var band = problem.Shape.WholeBand;
        if (problem.Border == BorderRule.Replicate)
            GatherFolded(in problem, in band, weights, source, result, accumulate);
        else if (WidensWeights(weights))
            GatherWidened(in problem, in band, weights, source, result, accumulate);
        else if (source.Device.RunsVectorPrograms)
            Gather(transposedWide, in problem, in band, weights.Map<TReal>(), source, result, accumulate);
        else
            Gather(transposed, in problem, in band, weights.Map<TStorage>(), source, result, accumulate);
    }

    // On the CPU a weight is broadcast to all lanes for each of many channels; widening it every time would cost more
    // than the product.
    private static bool WidensWeights(FeatureMap weights) =>
        weights.Device.RunsVectorPrograms && typeof(TStorage) != typeof(TReal);

    // Without a normalisation, masking a tap outside means giving it score or value 0.
    private static KernelVariant WithoutMask(KernelVariant variant) => variant with
    {
        Border = variant.Border == BorderRule.Replicate ? BorderRule.Replicate : BorderRule.ZeroLogit,
    };

    private static KernelVariant Choose(FeatureMap operand, in WindowProblem problem, bool vectors) =>
        KernelVariant.Choose(
            operand.Device, problem.Extent, problem.Border, ScoreNormalisation.Softmax, vectors, vectors);

    private static CellTiling Tiling(in WindowProblem problem, in RowBand band, int arrays, bool vectors) =>
        Tiling<TElement, TStorage, TReal>(problem.Shape, in band, arrays, vectors);

    private static RowBand ForThreads(in RowBand band, ComputeDevice device)
    {
        const int TilesPerThread = 6;
        return band with { FewestTiles = TilesPerThread * device.Options.Threads };
    }

    // The programs on cell pairs count positions in 32 bits; maps that are too large for that take the general ones. In
    // double precision a tile would not fit the shared memory.
    private static KernelVariant WithCellPairs(
        KernelVariant variant, ComputeDevice device, ReadOnlySpan<FeatureMap?> embeddings, ReadOnlySpan<FeatureMap?> values)
    {
        if (variant.Window == 0 || !device.RunsCellPairs || typeof(TReal) != typeof(float))
            return variant;
        bool fits = MapAccess.HasShortPositions(embeddings, variant.EmbeddingVectors)
            && MapAccess.HasShortPositions(values, variant.ValueVectors);
        if (!fits)
            return variant with { Window = 0 };
        bool usesMatrices = device.Backend.HasMatrixUnits
            && MapAccess.SuitsMatrices(embeddings, variant.EmbeddingVectors)
            && MapAccess.SuitsMatrices(values, variant.ValueVectors);
        return variant with { CellPairs = true, Matrix = usesMatrices ? MapAccess.MatrixOf<TElement>() : MatrixChoice.None };
    }

    // A view that a kernel does not use must still refer to memory of the device.
    private static MapView<TReal> Placeholder(FeatureMap map) =>
        new() { Data = map.Memory.View<TReal>(0) };

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
        var variant = WithCellPairs(Choose(source, in problem, vectors), source.Device, [], [source, result]);
        if (!vectors && !Pack4Layout.HasColumnPairs(source))
            variant = variant with { CellPairs = false };
        table[variant].Launch(source.Device.Launcher, in parameters);
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
        ResamplingKernels.For(weights).Widen(weights, wide, accumulate: false);
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
        var variant = WithCellPairs(
            KernelVariant.Choose(
                operands.Query.Device,
                in extent,
                problem.Border,
                problem.Normalisation,
                Pack4Layout.Fits(operands.Query) && Pack4Layout.Fits(operands.Key) && vectorQuery,
                Pack4Layout.Fits(operands.Value) && Pack4Layout.Fits(operands.GradOutput)),
            operands.Query.Device,
            [operands.Query, operands.Key, gradQuery],
            [operands.Value, operands.GradOutput]);
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
            GradQueryByRows = gradQuery is not null && Pack4Layout.HasColumnPacks(gradQuery) ? 1 : 0,
        };
        backward[variant].Launch(operands.Query.Device.Launcher, in parameters);
        if (gradValue is not null)
            Gather(transposedWide, in problem, in cells, weights, operands.GradOutput, gradValue, accumulateValue);
        if (gradKey is not null)
            Gather(transposedWide, in problem, in cells, gradScores, operands.Query, gradKey, accumulate: false);
    }

    private sealed class ForwardTiles : OpenTiles<TStorage, TReal, WindowAttentionParameters<TStorage, TReal>>
    {
        public override ILaunchable<WindowAttentionParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                WindowAttentionForwardProgram<TSimd, TStorage, TReal, TVector, TBorder, TNormalisation>,
                WindowAttentionParameters<TStorage, TReal>>();
    }

    private sealed class ForwardKernel : OpenKernel<WindowAttentionParameters<TStorage, TReal>>
    {
        public override ILaunchable<WindowAttentionParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                WindowAttentionForward<
                    TElement, TStorage, TReal, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>,
                WindowAttentionParameters<TStorage, TReal>>();

        public override ILaunchable<WindowAttentionParameters<TStorage, TReal>>?
            CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CellPairAttentionForward<
                    TElement, TStorage, TReal, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue,
                    LaneProducts<OneArray>>,
                WindowAttentionParameters<TStorage, TReal>>();

        public override ILaunchable<WindowAttentionParameters<TStorage, TReal>>?
            CloseMatrices<TMatrix, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CellPairAttentionForward<
                    TElement, TStorage, TReal, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue,
                    MatrixProducts<TMatrix, OneArray>>,
                WindowAttentionParameters<TStorage, TReal>>();
    }

    private sealed class BackwardTiles : OpenTiles<TStorage, TReal, WindowAttentionBackwardParameters<TStorage, TReal>>
    {
        public override ILaunchable<WindowAttentionBackwardParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                WindowAttentionBackwardProgram<TSimd, TStorage, TReal, TVector, TStaged, TBorder, TNormalisation>,
                WindowAttentionBackwardParameters<TStorage, TReal>>();
    }

    private sealed class BackwardKernel : OpenKernel<WindowAttentionBackwardParameters<TStorage, TReal>>
    {
        public override ILaunchable<WindowAttentionBackwardParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                WindowAttentionBackward<
                    TElement, TStorage, TReal, TRealElement, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>,
                WindowAttentionBackwardParameters<TStorage, TReal>>();

        public override ILaunchable<WindowAttentionBackwardParameters<TStorage, TReal>>?
            CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CellPairAttentionBackward<
                    TElement, TStorage, TReal, TRealElement, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue,
                    LaneProducts<TwoArrays>>,
                WindowAttentionBackwardParameters<TStorage, TReal>>();

        public override ILaunchable<WindowAttentionBackwardParameters<TStorage, TReal>>?
            CloseMatrices<TMatrix, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CellPairAttentionBackward<
                    TElement, TStorage, TReal, TRealElement, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue,
                    MatrixProducts<TMatrix, TwoArrays>>,
                WindowAttentionBackwardParameters<TStorage, TReal>>();
    }

    private sealed class SimilarityTiles : OpenTiles<TStorage, TReal, WindowSimilarityParameters<TStorage>>
    {
        public override ILaunchable<WindowSimilarityParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                WindowSimilarityProgram<TSimd, TStorage, TReal, TVector, TBorder>,
                WindowSimilarityParameters<TStorage>>();
    }

    private sealed class SimilarityKernel : OpenKernel<WindowSimilarityParameters<TStorage>>
    {
        public override ILaunchable<WindowSimilarityParameters<TStorage>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                WindowSimilarityForward<TElement, TStorage, TReal, TWindow, TScale, TBorder, TEmbedding>,
                WindowSimilarityParameters<TStorage>>();

        public override ILaunchable<WindowSimilarityParameters<TStorage>>?
            CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CellPairSimilarity<
                    TElement, TStorage, TReal, TWindow, TScale, TBorder, TEmbedding,
                    LaneProducts<OneArray>>,
                WindowSimilarityParameters<TStorage>>();

        public override ILaunchable<WindowSimilarityParameters<TStorage>>?
            CloseMatrices<TMatrix, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CellPairSimilarity<
                    TElement, TStorage, TReal, TWindow, TScale, TBorder, TEmbedding,
                    MatrixProducts<TMatrix, OneArray>>,
                WindowSimilarityParameters<TStorage>>();
    }

    private sealed class ReassemblyTiles : OpenTiles<TStorage, TReal, WindowReassemblyParameters<TStorage>>
    {
        public override ILaunchable<WindowReassemblyParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                WindowReassemblyProgram<TSimd, TStorage, TReal, TVector, TBorder>,
                WindowReassemblyParameters<TStorage>>();
    }

    private sealed class ReassemblyKernel : OpenKernel<WindowReassemblyParameters<TStorage>>
    {
        public override ILaunchable<WindowReassemblyParameters<TStorage>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                WindowReassemblyForward<TElement, TStorage, TReal, TWindow, TScale, TBorder, TValue>,
                WindowReassemblyParameters<TStorage>>();

        public override ILaunchable<WindowReassemblyParameters<TStorage>>?
            CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CellPairReassembly<
                    TElement, TStorage, TReal, TWindow, TScale, TBorder, TValue,
                    LaneProducts<OneArray>>,
                WindowReassemblyParameters<TStorage>>();

        public override ILaunchable<WindowReassemblyParameters<TStorage>>?
            CloseMatrices<TMatrix, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CellPairReassembly<
                    TElement, TStorage, TReal, TWindow, TScale, TBorder, TValue,
                    MatrixProducts<TMatrix, OneArray>>,
                WindowReassemblyParameters<TStorage>>();
    }

    private sealed class TransposedTiles : OpenTiles<TStorage, TReal, TransposedReassemblyParameters<TStorage, TReal>>
    {
        public override ILaunchable<TransposedReassemblyParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                TransposedReassemblyProgram<TSimd, TStorage, TReal, TVector>,
                TransposedReassemblyParameters<TStorage, TReal>>();
    }

    private sealed class TransposedKernel<TWeightElement, TWeight>
        : OpenKernel<TransposedReassemblyParameters<TStorage, TWeight>>
        where TWeightElement : struct, IElement<TWeight, TReal>
        where TWeight : unmanaged
    {
        public override ILaunchable<TransposedReassemblyParameters<TStorage, TWeight>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                TransposedReassembly<TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TScale, TValue>,
                TransposedReassemblyParameters<TStorage, TWeight>>();

        public override ILaunchable<TransposedReassemblyParameters<TStorage, TWeight>>?
            CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            !TScale.IsTwo
                ? null
                : TValue.ChannelsFastest
                    ? new GroupLaunchable<
                        CellQuadGather<TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TValue>,
                        TransposedReassemblyParameters<TStorage, TWeight>>()
                    : new GroupLaunchable<
                        CellQuadRowGather<TElement, TStorage, TReal, TWeightElement, TWeight, TWindow>,
                        TransposedReassemblyParameters<TStorage, TWeight>>();

        public override ILaunchable<TransposedReassemblyParameters<TStorage, TWeight>>?
            CloseMatrices<TMatrix, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            !TScale.IsTwo
                ? null
                : new GroupLaunchable<
                    MatrixGather<TMatrix, TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TValue>,
                    TransposedReassemblyParameters<TStorage, TWeight>>();
    }

    private sealed class FoldTiles : OpenTiles<TStorage, TReal, WindowWeightsParameters<TStorage, TReal>>
    {
        public override ILaunchable<WindowWeightsParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                WeightFoldProgram<TSimd, TStorage, TReal, TVector>,
                WindowWeightsParameters<TStorage, TReal>>();
    }
}

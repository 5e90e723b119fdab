using System.Numerics;
using ILGPU.Runtime;
using SapaGpu.Kernels;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>The window operators on tensors of one element type, arguments checked.</summary>
internal abstract class WindowKernels<T>
    where T : unmanaged
{
    /// <summary>Gets the operators of the element type.</summary>
    public static WindowKernels<T> Instance { get; } = Create();

    /// <summary>Creates the tensor that keeps the log-sum-exp, in the accumulator's type.</summary>
    public abstract Tensor CreateLogSumExp(Device device, in WindowShape shape);

    /// <summary>Fused forward; the log-sum-exp is written where a tensor for it is given.</summary>
    public abstract void Forward(
        in WindowShape shape,
        BorderRule border,
        Tensor<T> query,
        Tensor<T> key,
        Tensor<T> value,
        Tensor<T> output,
        Tensor? logSumExp);

    /// <summary>Fused backward; gradients that are null are not computed.</summary>
    public abstract void Backward(
        in WindowShape shape,
        BorderRule border,
        in AttentionOperands<T> operands,
        Tensor? gradQuery,
        Tensor? gradKey,
        Tensor? gradValue);

    /// <summary>scores = ⟨query, key⟩ over the window.</summary>
    public abstract void Similarity(in WindowShape shape, Tensor<T> query, Tensor<T> key, Tensor<T> scores);

    /// <summary>output = Σ weights · value over the window.</summary>
    public abstract void Reassembly(in WindowShape shape, Tensor<T> weights, Tensor<T> value, Tensor<T> output);

    /// <summary>The adjoint of the reassembly: result = Σ weights · source over the queries that see a cell.</summary>
    public abstract void Transposed(in WindowShape shape, Tensor<T> weights, Tensor<T> source, Tensor<T> result);

    /// <summary>The choice of kernels, for people.</summary>
    public abstract KernelVariant Plan(
        in WindowShape shape, BorderRule border, Tensor<T> query, Tensor<T> key, Tensor<T> value, Tensor<T>? output);

    private static WindowKernels<T> Create() => ElementTypes.Of<T>() switch
    {
        ElementType.Float64 => (WindowKernels<T>)(object)new WindowKernels<Float64Element, double, double>(),
        _ => (WindowKernels<T>)(object)new WindowKernels<Float32Element, float, float>(),
    };
}

/// <summary>What the forward read and saved, and the gradient that comes back.</summary>
internal readonly struct AttentionOperands<T>
    where T : unmanaged
{
    public required Tensor<T> Query { get; init; }

    public required Tensor<T> Key { get; init; }

    public required Tensor<T> Value { get; init; }

    public required Tensor LogSumExp { get; init; }

    public required Tensor<T> GradOutput { get; init; }
}

/// <summary>The window operators with the element type's accumulator.</summary>
internal sealed class WindowKernels<TElement, T, TAccumulator> : WindowKernels<T>
    where TElement : struct, IElement<T, TAccumulator>
    where T : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    private static readonly Type AccumulatorElement =
        typeof(TAccumulator) == typeof(double) ? typeof(Float64Element) : typeof(Float32Element);

    private readonly VariantTable<WindowAttentionParameters<T, TAccumulator>> forward = new(Close.Forward);
    private readonly VariantTable<WindowAttentionBackwardParameters<T, TAccumulator>> backward = new(Close.Backward);
    private readonly VariantTable<WindowSimilarityParameters<T>> similarity = new(Close.Similarity);
    private readonly VariantTable<WindowReassemblyParameters<T>> reassembly = new(Close.Reassembly);
    private readonly VariantTable<TransposedReassemblyParameters<T, T>> transposed =
        new(v => Close.Transposed<T>(v, typeof(TElement)));

    private readonly VariantTable<TransposedReassemblyParameters<T, TAccumulator>> transposedWide =
        new(v => Close.Transposed<TAccumulator>(v, AccumulatorElement));

    public override Tensor CreateLogSumExp(Device device, in WindowShape shape) =>
        Tensor<TAccumulator>.Create(device, shape.LogSumExpShape);

    public override KernelVariant Plan(
        in WindowShape shape, BorderRule border, Tensor<T> query, Tensor<T> key, Tensor<T> value, Tensor<T>? output) =>
        KernelVariant.Choose(
            query.Device,
            shape.Window,
            shape.Scale,
            border,
            VectorLayout.Fits(query) && VectorLayout.Fits(key),
            VectorLayout.Fits(value) && (output is null || VectorLayout.Fits(output)));

    public override void Forward(
        in WindowShape shape,
        BorderRule border,
        Tensor<T> query,
        Tensor<T> key,
        Tensor<T> value,
        Tensor<T> output,
        Tensor? logSumExp)
    {
        var band = shape.WholeBand;
        var parameters = new WindowAttentionParameters<T, TAccumulator>
        {
            Extent = shape.Extent,
            Band = band,
            Tiling = Tiling(in shape, in band, arrays: 1),
            Query = query.Map(),
            Key = key.Map(),
            Value = value.Map(),
            Output = output.Map(),
            LogSumExp = logSumExp is null ? Placeholder(query) : ((Tensor<TAccumulator>)logSumExp).Map(),
            SaveLogSumExp = logSumExp is null ? 0 : 1,
        };
        forward[Plan(in shape, border, query, key, value, output)].Launch(query.Device.Launcher, in parameters);
    }

    public override void Backward(
        in WindowShape shape,
        BorderRule border,
        in AttentionOperands<T> operands,
        Tensor? gradQuery,
        Tensor? gradKey,
        Tensor? gradValue)
    {
        var device = operands.Query.Device;
        var plan = BandPlan.Create<TAccumulator>(
            in shape, gradKey is not null, gradValue is not null, device.Options.WorkspaceBytes);
        var memory = plan.WorkspaceBytes > 0 ? device.Pool.Rent(plan.WorkspaceBytes) : null;
        try
        {
            for (int i = 0; i < plan.Count; i++)
            {
                plan.Band(i, in shape, out var cells, out var queries);
                Backward(in shape, border, in operands, gradQuery, gradKey, gradValue, memory, in cells, in queries);
            }
        }
        finally
        {
            if (memory is not null)
                device.Pool.Return(memory);
        }
    }

    public override void Similarity(in WindowShape shape, Tensor<T> query, Tensor<T> key, Tensor<T> scores)
    {
        var band = shape.WholeBand;
        var parameters = new WindowSimilarityParameters<T>
        {
            Extent = shape.Extent,
            Band = band,
            Tiling = Tiling(in shape, in band, arrays: 1),
            Query = query.Map(),
            Key = key.Map(),
            Scores = scores.Map(),
        };
        bool vectors = VectorLayout.Fits(query) && VectorLayout.Fits(key);
        similarity[Choose(query, in shape, vectors)].Launch(query.Device.Launcher, in parameters);
    }

    public override void Reassembly(in WindowShape shape, Tensor<T> weights, Tensor<T> value, Tensor<T> output)
    {
        var band = shape.WholeBand;
        var parameters = new WindowReassemblyParameters<T>
        {
            Extent = shape.Extent,
            Band = band,
            Tiling = Tiling(in shape, in band, arrays: 1),
            Weights = weights.Map(),
            Value = value.Map(),
            Output = output.Map(),
        };
        bool vectors = VectorLayout.Fits(value) && VectorLayout.Fits(output);
        reassembly[Choose(value, in shape, vectors)].Launch(value.Device.Launcher, in parameters);
    }

    public override void Transposed(in WindowShape shape, Tensor<T> weights, Tensor<T> source, Tensor<T> result)
    {
        var band = shape.WholeBand;
        Gather(transposed, in shape, in band, weights.Map(), source, result);
    }

    private static KernelVariant Choose(Tensor<T> operand, in WindowShape shape, bool vectors) =>
        KernelVariant.Choose(operand.Device, shape.Window, shape.Scale, BorderRule.ZeroLogit, vectors, vectors);

    private static CellTiling Tiling(in WindowShape shape, in RowBand band, int arrays) =>
        CellTiling.Create(shape.KeyShape.Width, in band, TElement.SharedCapacity, 4 * shape.Window * shape.Window * arrays);

    // A view that a kernel does not touch still has to be one of the device.
    private static MapView<TAccumulator> Placeholder(Tensor<T> tensor) =>
        new() { Data = tensor.Memory.View<TAccumulator>(0) };

    private void Backward(
        in WindowShape shape,
        BorderRule border,
        in AttentionOperands<T> operands,
        Tensor? gradQuery,
        Tensor? gradKey,
        Tensor? gradValue,
        MemoryBuffer? memory,
        in RowBand cells,
        in RowBand queries)
    {
        var weights = Placeholder(operands.Query);
        var gradScores = weights;
        long used = 0;
        if (gradValue is not null)
            weights = BandPlan.View<TAccumulator>(memory!, in shape, in queries, ref used);
        if (gradKey is not null)
            gradScores = BandPlan.View<TAccumulator>(memory!, in shape, in queries, ref used);

        bool vectorQuery = gradQuery is null || VectorLayout.Fits(gradQuery);
        var variant = KernelVariant.Choose(
            operands.Query.Device,
            shape.Window,
            shape.Scale,
            border,
            VectorLayout.Fits(operands.Query) && VectorLayout.Fits(operands.Key) && vectorQuery,
            VectorLayout.Fits(operands.Value) && VectorLayout.Fits(operands.GradOutput));
        var parameters = new WindowAttentionBackwardParameters<T, TAccumulator>
        {
            Extent = shape.Extent,
            Band = queries,
            Tiling = Tiling(in shape, in queries, arrays: 2),
            Query = operands.Query.Map(),
            Key = operands.Key.Map(),
            Value = operands.Value.Map(),
            GradOutput = operands.GradOutput.Map(),
            LogSumExp = ((Tensor<TAccumulator>)operands.LogSumExp).Map(),
            GradQuery = gradQuery is null ? operands.Query.Map() : ((Tensor<T>)gradQuery).Map(),
            Weights = weights,
            GradScores = gradScores,
            NeedsGradQuery = gradQuery is null ? 0 : 1,
            NeedsWeights = gradValue is null ? 0 : 1,
            NeedsGradScores = gradKey is null ? 0 : 1,
        };
        backward[variant].Launch(operands.Query.Device.Launcher, in parameters);
        if (gradValue is not null)
            Gather(transposedWide, in shape, in cells, weights, operands.GradOutput, (Tensor<T>)gradValue);
        if (gradKey is not null)
            Gather(transposedWide, in shape, in cells, gradScores, operands.Query, (Tensor<T>)gradKey);
    }

    private static void Gather<TWeight>(
        VariantTable<TransposedReassemblyParameters<T, TWeight>> table,
        in WindowShape shape,
        in RowBand band,
        MapView<TWeight> weights,
        Tensor<T> source,
        Tensor<T> result)
        where TWeight : unmanaged
    {
        var extent = shape.Extent;
        extent.ValueChannels = result.Shape.Channels;
        var parameters = new TransposedReassemblyParameters<T, TWeight>
        {
            Extent = extent,
            Band = band,
            Weights = weights,
            Source = source.Map(),
            Result = result.Map(),
        };
        bool vectors = VectorLayout.Fits(source) && VectorLayout.Fits(result);
        table[Choose(source, in shape, vectors)].Launch(source.Device.Launcher, in parameters);
    }

    // The one list of which type parameters each kernel takes.
    private static class Close
    {
        public static ILaunchable<WindowAttentionParameters<T, TAccumulator>> Forward(KernelVariant v) =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<WindowAttentionParameters<T, TAccumulator>>(
                    typeof(WindowAttentionForwardProgram<,,,,>), [.. Simd(v), KernelVariants.Border(v.Border)])
                : KernelVariants.Group<WindowAttentionParameters<T, TAccumulator>>(
                    typeof(WindowAttentionForward<,,,,,,,>),
                    [
                        .. Window(v), KernelVariants.Border(v.Border),
                        KernelVariants.Access(v.EmbeddingVectors), KernelVariants.Access(v.ValueVectors),
                    ]);

        public static ILaunchable<WindowAttentionBackwardParameters<T, TAccumulator>> Backward(KernelVariant v) =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<WindowAttentionBackwardParameters<T, TAccumulator>>(
                    typeof(WindowAttentionBackwardProgram<,,,,,>),
                    [
                        .. Simd(v),
                        KernelVariants.Simd(v.VectorBits, typeof(TAccumulator)).Simd, KernelVariants.Border(v.Border),
                    ])
                : KernelVariants.Group<WindowAttentionBackwardParameters<T, TAccumulator>>(
                    typeof(WindowAttentionBackward<,,,,,,,,>),
                    [
                        typeof(TElement), typeof(T), typeof(TAccumulator), AccumulatorElement,
                        KernelVariants.Window(v.Window), KernelVariants.Scale(v.Scale), KernelVariants.Border(v.Border),
                        KernelVariants.Access(v.EmbeddingVectors), KernelVariants.Access(v.ValueVectors),
                    ]);

        public static ILaunchable<WindowSimilarityParameters<T>> Similarity(KernelVariant v) =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<WindowSimilarityParameters<T>>(typeof(WindowSimilarityProgram<,,,>), Simd(v))
                : KernelVariants.Group<WindowSimilarityParameters<T>>(
                    typeof(WindowSimilarity<,,,,,>), [.. Window(v), KernelVariants.Access(v.EmbeddingVectors)]);

        public static ILaunchable<WindowReassemblyParameters<T>> Reassembly(KernelVariant v) =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<WindowReassemblyParameters<T>>(typeof(WindowReassemblyProgram<,,,>), Simd(v))
                : KernelVariants.Group<WindowReassemblyParameters<T>>(
                    typeof(WindowReassembly<,,,,,>), [.. Window(v), KernelVariants.Access(v.ValueVectors)]);

        public static ILaunchable<TransposedReassemblyParameters<T, TWeight>> Transposed<TWeight>(
            KernelVariant v, Type weightElement)
            where TWeight : unmanaged =>
            v.VectorBits > 0
                ? KernelVariants.Tiles<TransposedReassemblyParameters<T, TWeight>>(
                    typeof(TransposedReassemblyProgram<,,,,,>), [.. Simd(v), weightElement, typeof(TWeight)])
                : KernelVariants.Group<TransposedReassemblyParameters<T, TWeight>>(
                    typeof(TransposedReassembly<,,,,,,,>),
                    [
                        typeof(TElement), typeof(T), typeof(TAccumulator), weightElement, typeof(TWeight),
                        KernelVariants.Window(v.Window), KernelVariants.Scale(v.Scale),
                        KernelVariants.Access(v.ValueVectors),
                    ]);

        private static Type[] Window(KernelVariant v) =>
        [
            typeof(TElement), typeof(T), typeof(TAccumulator),
            KernelVariants.Window(v.Window), KernelVariants.Scale(v.Scale),
        ];

        private static Type[] Simd(KernelVariant v) => KernelVariants.SimdArguments<T, TAccumulator>(v);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;

namespace SapaGpu.Launch;

/// <summary>
/// Deformable attention on maps of one element type: in one pass on the CPU, step by step elsewhere. Callers check
/// arguments.
/// </summary>
internal abstract class DeformableAttentionKernels
{
    private static readonly KernelsByElement<DeformableAttentionKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static DeformableAttentionKernels For(FeatureMap map) => Known.For(map);

    /// <summary>Queues the forward.</summary>
    public abstract void Forward(in DeformableAttentionOperands operands, FeatureMap output);

    /// <summary>Queues the backward.</summary>
    public abstract void Backward(
        in DeformableAttentionOperands operands, FeatureMap gradOutput, in DeformableAttentionGradients gradients);

    private readonly struct Factory : IKernelFactory<DeformableAttentionKernels>
    {
        DeformableAttentionKernels IKernelFactory<DeformableAttentionKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new DeformableAttentionKernels<TElement, TStorage, TReal>(arithmetic);
    }
}

/// <summary>The operands of deformable attention.</summary>
/// <param name="Query">Query, [B, G·D, OH, OW].</param>
/// <param name="Key">Key, [B, G·D, H, W].</param>
/// <param name="Value">Value, [B, G·C, H, W].</param>
/// <param name="Offsets">Offsets, [B, G·P·2, OH, OW].</param>
/// <param name="Options">Groups and points.</param>
internal readonly record struct DeformableAttentionOperands(
    FeatureMap Query, FeatureMap Key, FeatureMap Value, FeatureMap Offsets, DeformableAttentionOptions Options)
{
    /// <summary>A value for every point, in a format.</summary>
    public FeatureMap CreatePerPoint(MemoryFormat format) => FeatureMap.Create(
        Query.Device,
        new MapShape(Query.Shape.Batch, Options.Groups * Options.Points, Query.Shape.Height, Query.Shape.Width),
        format,
        Query.ElementType);
}

/// <summary>Where the gradients of deformable attention are written; null to leave one out.</summary>
internal readonly record struct DeformableAttentionGradients(
    FeatureMap? Query, FeatureMap? Key, FeatureMap? Value, FeatureMap? Offsets)
{
    /// <summary>Gets whether the gradients of the scores are needed.</summary>
    public bool NeedScores => Query is not null || Key is not null || Offsets is not null;
}

/// <summary>Deformable attention with the element type's accumulator.</summary>
internal sealed class DeformableAttentionKernels<TElement, TStorage, TReal>(
    ElementArithmetic<TStorage, TReal> arithmetic) : DeformableAttentionKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<DeformableAttentionParameters<TStorage>> forward = arithmetic.Table(
        new ForwardTiles());

    private readonly VariantTable<DeformableAttentionBackwardParameters<TStorage>> backward =
        arithmetic.Table(new BackwardTiles());

    private readonly VariantTable<DeformableAttentionParameters<TStorage>> forwardByGroup =
        arithmetic.Table(new ForwardGroupTiles());

    private readonly VariantTable<DeformableAttentionGroupParameters<TStorage>> backwardByGroup =
        arithmetic.Table(new BackwardGroupTiles());

    public override void Forward(in DeformableAttentionOperands operands, FeatureMap output)
    {
        var device = operands.Query.Device;
        if (device.RunsVectorPrograms)
        {
            ForwardInOnePass(in operands, output);
            return;
        }
        var (query, _, map, offsets, (groups, points)) = operands;
        using var scores = Scores(in operands);
        using var weights = FeatureMap.Create(device, scores.Shape, scores.Format, scores.ElementType);
        WindowWeightsKernels.For(query).Forward(Softmax(in operands), scores, weights);
        DeformableKernels.For(query).Reassembly(groups, points, weights, map, offsets, output);
    }

    public override void Backward(
        in DeformableAttentionOperands operands, FeatureMap gradOutput, in DeformableAttentionGradients gradients)
    {
        var device = operands.Query.Device;
        if (device.RunsVectorPrograms && DifferentiateByGroup(in operands, gradOutput, in gradients))
            return;
        var format = device.RunsVectorPrograms ? MemoryFormat.Contiguous : operands.Query.Format;
        using var weights = operands.CreatePerPoint(format);
        using var gradScores = gradients.NeedScores ? operands.CreatePerPoint(format) : null;
        if (device.RunsVectorPrograms)
            Differentiate(in operands, gradOutput, in gradients, weights, gradScores);
        else
            DifferentiateByStep(in operands, gradOutput, in gradients, weights, gradScores);

        var (query, _, _, offsets, (groups, points)) = operands;
        List<DeformableGradient> maps = [];
        if (gradients.Value is not null)
            maps.Add(new DeformableGradient(weights, gradOutput, gradients.Value));
        if (gradients.Key is not null)
            maps.Add(new DeformableGradient(gradScores!, query, gradients.Key));
        if (maps.Count > 0)
            DeformableKernels.For(query).MapGradients(groups, points, offsets, [.. maps]);
    }

    private static DeformableAttentionParameters<TStorage> Parameters(
        in DeformableAttentionOperands operands, FeatureMap key, FeatureMap value, FeatureMap output)
    {
        var (query, _, _, offsets, (groups, points)) = operands;
        return new DeformableAttentionParameters<TStorage>
        {
            Batch = query.Shape.Batch,
            Groups = groups,
            Points = points,
            KeyChannels = key.Shape.Channels / groups,
            ValueChannels = value.Shape.Channels / groups,
            Rows = WindowShape.Axis(key.Shape.Height, query.Shape.Height),
            Columns = WindowShape.Axis(key.Shape.Width, query.Shape.Width),
            Offsets = offsets.Map<TStorage>(),
            Query = query.Map<TStorage>(),
            Key = key.Map<TStorage>(),
            Value = value.Map<TStorage>(),
            Output = output.Map<TStorage>(),
        };
    }

    private static KernelVariant Variant(ComputeDevice device, in DeformableAttentionParameters<TStorage> parameters) =>
        KernelVariant.Fitting<TReal>(device, Math.Min(parameters.KeyChannels, parameters.ValueChannels));

    private static FeatureMap Scores(in DeformableAttentionOperands operands)
    {
        var (query, key, _, offsets, (groups, points)) = operands;
        var scores = operands.CreatePerPoint(query.Format);
        DeformableKernels.For(query).Scores(groups, points, query, key, offsets, scores);
        return scores;
    }

    private static WeightsProblem Softmax(in DeformableAttentionOperands operands)
    {
        var shape = operands.Query.Shape;
        return new WeightsProblem(
            new WindowShape(shape, 1, shape.Height, shape.Width, 1).Extent(BorderRule.ZeroLogit),
            operands.Options.Groups,
            operands.Options.Points,
            ScoreNormalisation.Softmax);
    }

    private static void DifferentiateByStep(
        in DeformableAttentionOperands operands,
        FeatureMap gradOutput,
        in DeformableAttentionGradients gradients,
        FeatureMap weights,
        FeatureMap? gradScores)
    {
        var (query, key, value, offsets, (groups, points)) = operands;
        var kernels = DeformableKernels.For(query);
        var softmax = WindowWeightsKernels.For(query);
        using var scores = Scores(in operands);
        softmax.Forward(Softmax(in operands), scores, weights);
        if (gradScores is null)
            return;
        using var gradWeights = operands.CreatePerPoint(query.Format);
        kernels.Scores(groups, points, gradOutput, value, offsets, gradWeights);
        softmax.Backward(Softmax(in operands), scores, gradWeights, gradScores);
        if (gradients.Query is not null)
            kernels.Reassembly(groups, points, gradScores, key, offsets, gradients.Query);
        if (gradients.Offsets is null)
            return;
        kernels.OffsetGradient(
            groups, points, weights, gradOutput, value, offsets, gradients.Offsets, accumulate: false);
        kernels.OffsetGradient(groups, points, gradScores, query, key, offsets, gradients.Offsets, accumulate: true);
    }

    // Whether the groups are work enough for all threads, and what they keep in scratch memory is not too much.
    private static bool SuitsGroups(
        ComputeDevice device, in DeformableAttentionParameters<TStorage> parameters, in KernelVariant variant)
    {
        const int GroupsPerThread = 2;
        const long MostScratchBytes = 64L << 20;
        int size = Unsafe.SizeOf<TReal>();
        int lanes = variant.VectorBits / (8 * size);
        int channels = parameters.KeyChannels + parameters.ValueChannels;
        long groups = (long)parameters.Batch * parameters.Groups;
        int threads = device.Options.Threads;
        return (threads == 1 || groups >= GroupsPerThread * threads)
            && parameters.KeyChannels % lanes == 0
            && parameters.ValueChannels % lanes == 0
            && 2L * parameters.Rows.Cells * parameters.Columns.Cells * (channels + lanes) * size <= MostScratchBytes;
    }

    private void ForwardInOnePass(in DeformableAttentionOperands operands, FeatureMap output)
    {
        var device = operands.Query.Device;
        var parameters = Parameters(in operands, operands.Key, operands.Value, output);
        var variant = Variant(device, in parameters);
        if (SuitsGroups(device, in parameters, in variant))
        {
            forwardByGroup[variant].Launch(device.Launcher, in parameters);
            return;
        }
        using var key = new ChannelsLastMap(operands.Key);
        using var value = new ChannelsLastMap(operands.Value);
        parameters.Key = key.Map.Map<TStorage>();
        parameters.Value = value.Map.Map<TStorage>();
        forward[variant].Launch(device.Launcher, in parameters);
    }

    private bool DifferentiateByGroup(
        in DeformableAttentionOperands operands, FeatureMap gradOutput, in DeformableAttentionGradients gradients)
    {
        var device = operands.Query.Device;
        var parameters = Parameters(in operands, operands.Key, operands.Value, gradOutput);
        var variant = Variant(device, in parameters);
        if (!SuitsGroups(device, in parameters, in variant))
            return false;
        backwardByGroup[variant].Launch(
            device.Launcher,
            new DeformableAttentionGroupParameters<TStorage>
            {
                Forward = parameters,
                GradQuery = (gradients.Query ?? operands.Query).Map<TStorage>(),
                GradKey = (gradients.Key ?? operands.Key).Map<TStorage>(),
                GradValue = (gradients.Value ?? operands.Value).Map<TStorage>(),
                GradOffsets = (gradients.Offsets ?? operands.Offsets).Map<TStorage>(),
                NeedsGradQuery = gradients.Query is null ? 0 : 1,
                NeedsGradKey = gradients.Key is null ? 0 : 1,
                NeedsGradValue = gradients.Value is null ? 0 : 1,
                NeedsGradOffsets = gradients.Offsets is null ? 0 : 1,
            });
        return true;
    }

    private void Differentiate(
        in DeformableAttentionOperands operands,
        FeatureMap gradOutput,
        in DeformableAttentionGradients gradients,
        FeatureMap weights,
        FeatureMap? gradScores)
    {
        var device = operands.Query.Device;
        using var key = new ChannelsLastMap(operands.Key);
        using var value = new ChannelsLastMap(operands.Value);
        var parameters = Parameters(in operands, key.Map, value.Map, gradOutput);
        backward[Variant(device, in parameters)].Launch(
            device.Launcher,
            new DeformableAttentionBackwardParameters<TStorage>
            {
                Forward = parameters,
                Weights = weights.Map<TStorage>(),
                GradScores = (gradScores ?? weights).Map<TStorage>(),
                GradQuery = (gradients.Query ?? weights).Map<TStorage>(),
                GradOffsets = (gradients.Offsets ?? weights).Map<TStorage>(),
                NeedsWeights = gradients.Value is null ? 0 : 1,
                NeedsGradScores = gradients.Key is null ? 0 : 1,
                NeedsGradQuery = gradients.Query is null ? 0 : 1,
                NeedsGradOffsets = gradients.Offsets is null ? 0 : 1,
            });
    }

    private sealed class ForwardTiles : OpenTiles<TStorage, TReal, DeformableAttentionParameters<TStorage>>
    {
        public override ILaunchable<DeformableAttentionParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                DeformableAttentionProgram<TSimd, TStorage, TReal, TVector>,
                DeformableAttentionParameters<TStorage>>();
    }

    private sealed class BackwardTiles : OpenTiles<TStorage, TReal, DeformableAttentionBackwardParameters<TStorage>>
    {
        public override ILaunchable<DeformableAttentionBackwardParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                DeformableAttentionBackwardProgram<TSimd, TStorage, TReal, TVector>,
                DeformableAttentionBackwardParameters<TStorage>>();
    }

    private sealed class ForwardGroupTiles : OpenTiles<TStorage, TReal, DeformableAttentionParameters<TStorage>>
    {
        public override ILaunchable<DeformableAttentionParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                DeformableAttentionGroupProgram<TSimd, TStorage, TReal, TVector, TStaged>,
                DeformableAttentionParameters<TStorage>>();
    }

    private sealed class BackwardGroupTiles : OpenTiles<TStorage, TReal, DeformableAttentionGroupParameters<TStorage>>
    {
        public override ILaunchable<DeformableAttentionGroupParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                DeformableAttentionGroupBackwardProgram<TSimd, TStorage, TReal, TVector, TStaged>,
                DeformableAttentionGroupParameters<TStorage>>();
    }
}

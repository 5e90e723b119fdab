using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>
/// Sampling at moving points and its gradients, on maps of one element type; callers check arguments.
/// </summary>
internal abstract class DeformableKernels
{
    private static readonly KernelsByElement<DeformableKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static DeformableKernels For(FeatureMap map) => Known.For(map);

    /// <summary>result[p] = ⟨features, map at point p⟩, [B, G·P, OH, OW].</summary>
    public abstract void Scores(
        int groups, int points, FeatureMap features, FeatureMap map, FeatureMap offsets, FeatureMap result);

    /// <summary>result = Σ weights[p] · map at point p, [B, G·C, OH, OW].</summary>
    public abstract void Reassembly(
        int groups, int points, FeatureMap weights, FeatureMap map, FeatureMap offsets, FeatureMap result);

    /// <summary>The gradient of the offsets: weights[p] · the derivative of ⟨features, map at point p⟩.</summary>
    public abstract void OffsetGradient(
        int groups,
        int points,
        FeatureMap weights,
        FeatureMap features,
        FeatureMap map,
        FeatureMap offsets,
        FeatureMap gradOffsets,
        bool accumulate);

    /// <summary><see cref="Scores"/> and <see cref="OffsetGradient"/> of the same features and map.</summary>
    public abstract void ScoresAndOffsetGradient(
        int groups,
        int points,
        FeatureMap weights,
        FeatureMap features,
        FeatureMap map,
        FeatureMap offsets,
        FeatureMap scores,
        FeatureMap gradOffsets);

    /// <summary>
    /// The gradients of maps that were sampled at the same points: each collects weights[p] · features from the points
    /// that touch a cell.
    /// </summary>
    public abstract void MapGradients(
        int groups, int points, FeatureMap offsets, params ReadOnlySpan<DeformableGradient> gradients);

    private readonly struct Factory : IKernelFactory<DeformableKernels>
    {
        DeformableKernels IKernelFactory<DeformableKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new DeformableKernels<TElement, TStorage, TReal>(arithmetic);
    }
}

/// <summary>A gradient of a sampled map.</summary>
/// <param name="Weights">A value for every point, [B, G·P, OH, OW].</param>
/// <param name="Features">Features of the queries, [B, G·C, OH, OW].</param>
/// <param name="Result">The gradient, [B, G·C, H, W].</param>
internal readonly record struct DeformableGradient(FeatureMap Weights, FeatureMap Features, FeatureMap Result);

/// <summary>Sampling with the element type's accumulator.</summary>
internal sealed class DeformableKernels<TElement, TStorage, TReal>(
    ElementArithmetic<TStorage, TReal> arithmetic) : DeformableKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<DeformableSamplingParameters<TStorage>> similarity = arithmetic.Table(
        new SimilarityTiles<DeformableScore>(), new SimilarityKernel<SampleScore>());

    private readonly VariantTable<DeformableSamplingParameters<TStorage>> reassembly = arithmetic.Table(
        new ReassemblyTiles(), new ReassemblyKernel());

    private readonly VariantTable<DeformableSamplingParameters<TStorage>> offsetGradient = arithmetic.Table(
        new SimilarityTiles<DeformableSlope>(), new SimilarityKernel<SampleSlope>());

    private readonly VariantTable<DeformableSamplingParameters<TStorage>> similarityAndOffsetGradient =
        arithmetic.Table(new SimilarityTiles<DeformableScoreAndSlope>());

    private readonly VariantTable<DeformableSamplingParameters<TStorage>> scatter = arithmetic.Table(
        new ScatterTiles());

    private readonly VariantTable<DeformableGatherParameters<TStorage, TReal>> count =
        MapPrograms.Table<DeformableGatherParameters<TStorage, TReal>, DeformableCount<TElement, TStorage, TReal>>();

    private readonly VariantTable<DeformableGatherParameters<TStorage, TReal>> starts =
        new(_ => new GroupLaunchable<DeformableStarts<TStorage, TReal>, DeformableGatherParameters<TStorage, TReal>>());

    private readonly VariantTable<DeformableGatherParameters<TStorage, TReal>> placement =
        MapPrograms.Table<DeformableGatherParameters<TStorage, TReal>, DeformablePlacement<TElement, TStorage, TReal>>();

    private readonly VariantTable<DeformableGatherParameters<TStorage, TReal>> sort = new(_ =>
        new GroupLaunchable<DeformableSort<TElement, TStorage, TReal>, DeformableGatherParameters<TStorage, TReal>>());

    private readonly VariantTable<DeformableGatherParameters<TStorage, TReal>> gather = new(variant => variant.EmbeddingVectors
        ? new GroupLaunchable<DeformableGather<TElement, TStorage, TReal, VectorAccess>, DeformableGatherParameters<TStorage, TReal>>()
        : new GroupLaunchable<DeformableGather<TElement, TStorage, TReal, StridedAccess>, DeformableGatherParameters<TStorage, TReal>>());

    public override void Scores(
        int groups, int points, FeatureMap features, FeatureMap map, FeatureMap offsets, FeatureMap result)
    {
        using var pixels = new ChannelsLastMap(map);
        var parameters = Parameters(groups, points, pixels.Map, offsets, result) with
        {
            Features = features.Map<TStorage>(),
        };
        similarity[Variant(parameters.GroupChannels, features, pixels.Map)].Launch(map.Device.Launcher, in parameters);
    }

    public override void Reassembly(
        int groups, int points, FeatureMap weights, FeatureMap map, FeatureMap offsets, FeatureMap result)
    {
        using var pixels = new ChannelsLastMap(map);
        var parameters = Parameters(groups, points, pixels.Map, offsets, result) with
        {
            Weights = weights.Map<TStorage>(),
        };
        reassembly[Variant(parameters.GroupChannels, pixels.Map, result)].Launch(map.Device.Launcher, in parameters);
    }

    public override void OffsetGradient(
        int groups,
        int points,
        FeatureMap weights,
        FeatureMap features,
        FeatureMap map,
        FeatureMap offsets,
        FeatureMap gradOffsets,
        bool accumulate)
    {
        using var pixels = new ChannelsLastMap(map);
        var parameters = Parameters(groups, points, pixels.Map, offsets, gradOffsets) with
        {
            Features = features.Map<TStorage>(),
            Weights = weights.Map<TStorage>(),
            Accumulate = accumulate ? 1 : 0,
        };
        offsetGradient[Variant(parameters.GroupChannels, features, pixels.Map)].Launch(
            map.Device.Launcher, in parameters);
    }

    public override void ScoresAndOffsetGradient(
        int groups,
        int points,
        FeatureMap weights,
        FeatureMap features,
        FeatureMap map,
        FeatureMap offsets,
        FeatureMap scores,
        FeatureMap gradOffsets)
    {
        if (!map.Device.RunsVectorPrograms)
        {
            Scores(groups, points, features, map, offsets, scores);
            OffsetGradient(groups, points, weights, features, map, offsets, gradOffsets, accumulate: false);
            return;
        }
        using var pixels = new ChannelsLastMap(map);
        var parameters = Parameters(groups, points, pixels.Map, offsets, gradOffsets) with
        {
            Features = features.Map<TStorage>(),
            Weights = weights.Map<TStorage>(),
            Scores = scores.Map<TStorage>(),
        };
        similarityAndOffsetGradient[KernelVariant.Fitting<TReal>(map.Device, parameters.GroupChannels)]
            .Launch(map.Device.Launcher, in parameters);
    }

    public override void MapGradients(
        int groups, int points, FeatureMap offsets, params ReadOnlySpan<DeformableGradient> gradients)
    {
        if (offsets.Device.RunsVectorPrograms)
        {
            foreach (var gradient in gradients)
                Scatter(groups, points, offsets, in gradient);
            return;
        }
        var map = gradients[0].Result.Shape;
        int queries = checked(offsets.Shape.Height * offsets.Shape.Width);
        int cells = checked(map.Height * map.Width);
        _ = checked(queries * points * 4);
        long entries = 4L * groups * queries * points;
        long counts = (long)groups * cells;
        long lists = (long)groups * (cells + 1);
        var device = offsets.Device;
        long shareBytes = entries * Unsafe.SizeOf<TReal>();
        var memory = device.Pool.Rent(shareBytes + (entries + counts + lists) * sizeof(int));
        try
        {
            for (int image = 0; image < map.Batch; image++)
            {
                var parameters = new DeformableGatherParameters<TStorage, TReal>
                {
                    Image = image,
                    Groups = groups,
                    Points = points,
                    Rows = WindowShape.Axis(map.Height, offsets.Shape.Height),
                    Columns = WindowShape.Axis(map.Width, offsets.Shape.Width),
                    Offsets = offsets.Map<TStorage>(),
                    BilinearWeights = memory.View<TReal>(0, entries),
                    Samples = memory.View<int>(shareBytes, entries),
                    Counts = memory.View<int>(shareBytes + entries * sizeof(int), counts),
                    Starts = memory.View<int>(shareBytes + (entries + counts) * sizeof(int), lists),
                    Weights = gradients[0].Weights.Map<TStorage>(),
                    Features = gradients[0].Features.Map<TStorage>(),
                    Result = gradients[0].Result.Map<TStorage>(),
                };
                device.Backend.Clear(in parameters.Counts);
                count.Launch(device, in parameters);
                starts.Launch(device, in parameters);
                placement.Launch(device, in parameters);
                sort.Launch(device, in parameters);
                foreach (var gradient in gradients)
                {
                    Gather(groups, in parameters, in gradient);
                }
            }
        }
        finally
        {
            device.Pool.Return(memory);
        }
    }

    private void Gather(
        int groups, in DeformableGatherParameters<TStorage, TReal> lists, in DeformableGradient gradient)
    {
        var (weights, features, result) = gradient;
        var parameters = lists with
        {
            GroupChannels = result.Shape.Channels / groups,
            Features = features.Map<TStorage>(),
            Weights = weights.Map<TStorage>(),
            Result = result.Map<TStorage>(),
        };
        gather[Variant(parameters.GroupChannels, features, result)].Launch(result.Device.Launcher, in parameters);
    }

    // Thread groups access both maps four channels at a time, or neither.
    private static KernelVariant Variant(int groupChannels, FeatureMap first, FeatureMap second)
    {
        var variant = KernelVariant.Fitting<TReal>(first.Device, groupChannels);
        bool vectors = !first.Device.RunsVectorPrograms && groupChannels % Pack4Layout.Channels == 0
            && Pack4Layout.Fits(first) && Pack4Layout.Fits(second);
        return variant with { EmbeddingVectors = vectors };
    }

    private void Scatter(int groups, int points, FeatureMap offsets, in DeformableGradient gradient)
    {
        var (weights, features, result) = gradient;
        scatter.Launch(result.Device, Parameters(groups, points, result, offsets, result) with
        {
            Features = features.Map<TStorage>(),
            Weights = weights.Map<TStorage>(),
            BlockChannels = BlockChannels(groups, result),
        });
    }

    // As many channels as leave every thread two pieces of work: the fewer pieces, the fewer times points are found.
    // What is computed is the same, whatever the pieces.
    private static int BlockChannels(int groups, FeatureMap map)
    {
        const int Fewest = 16;
        const int Most = 64;
        const int PiecesPerThread = 2;
        int all = map.Shape.Channels / groups;
        int channels = Most;
        while (channels > Fewest
            && (long)map.Shape.Batch * groups * ((all + channels - 1) / channels) < PiecesPerThread * map.Device.Options.Threads)
        {
            channels /= 2;
        }
        return channels;
    }

    private static DeformableSamplingParameters<TStorage> Parameters(
        int groups, int points, FeatureMap map, FeatureMap offsets, FeatureMap result) => new()
        {
            Batch = map.Shape.Batch,
            Groups = groups,
            Points = points,
            GroupChannels = map.Shape.Channels / groups,
            Rows = WindowShape.Axis(map.Shape.Height, offsets.Shape.Height),
            Columns = WindowShape.Axis(map.Shape.Width, offsets.Shape.Width),
            Offsets = offsets.Map<TStorage>(),
            Map = map.Map<TStorage>(),
            Features = map.Map<TStorage>(),
            Weights = map.Map<TStorage>(),
            Result = result.Map<TStorage>(),
            Scores = result.Map<TStorage>(),
        };

    private sealed class SimilarityTiles<TResult> : OpenTiles<TStorage, TReal, DeformableSamplingParameters<TStorage>>
        where TResult : struct, IDeformableResult
    {
        public override ILaunchable<DeformableSamplingParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<DeformableSimilarityProgram<TSimd, TStorage, TReal, TVector, TResult>, DeformableSamplingParameters<TStorage>>();
    }

    private sealed class ReassemblyTiles : OpenTiles<TStorage, TReal, DeformableSamplingParameters<TStorage>>
    {
        public override ILaunchable<DeformableSamplingParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                DeformableReassemblyProgram<TSimd, TStorage, TReal, TVector>,
                DeformableSamplingParameters<TStorage>>();
    }

    private sealed class SimilarityKernel<TResult> : OpenKernel<DeformableSamplingParameters<TStorage>>
        where TResult : struct, ISampleResult
    {
        public override ILaunchable<DeformableSamplingParameters<TStorage>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                DeformableSimilarityForward<TElement, TStorage, TReal, TEmbedding, TResult>,
                DeformableSamplingParameters<TStorage>>();
    }

    private sealed class ReassemblyKernel : OpenKernel<DeformableSamplingParameters<TStorage>>
    {
        public override ILaunchable<DeformableSamplingParameters<TStorage>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                DeformableReassemblyForward<TElement, TStorage, TReal, TEmbedding>,
                DeformableSamplingParameters<TStorage>>();
    }

    private sealed class ScatterTiles : OpenTiles<TStorage, TReal, DeformableSamplingParameters<TStorage>>
    {
        public override ILaunchable<DeformableSamplingParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                DeformableScatterProgram<TSimd, TStorage, TReal, TVector>,
                DeformableSamplingParameters<TStorage>>();
    }
}

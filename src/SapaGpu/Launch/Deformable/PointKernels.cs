using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>Sampling at moving points and its gradients, on tensors of one element type, arguments checked.</summary>
internal abstract class PointKernels
{
    private static readonly KernelsByElement<PointKernels> Known = new(typeof(PointKernels<,,>));

    /// <summary>The operators of an element type.</summary>
    public static PointKernels For(ElementType elementType) => Known[elementType];

    /// <summary>result[p] = ⟨features, map at point p⟩, [B, G·P, OH, OW].</summary>
    public abstract void Similarity(int groups, int points, Tensor features, Tensor map, Tensor offsets, Tensor result);

    /// <summary>result = Σ weights[p] · map at point p, [B, G·C, OH, OW].</summary>
    public abstract void Reassembly(int groups, int points, Tensor weights, Tensor map, Tensor offsets, Tensor result);

    /// <summary>The gradient of the offsets: weights[p] · the derivative of ⟨features, map at point p⟩.</summary>
    public abstract void OffsetGradient(
        int groups,
        int points,
        Tensor weights,
        Tensor features,
        Tensor map,
        Tensor offsets,
        Tensor gradOffsets,
        bool accumulate);

    /// <summary><see cref="Similarity"/> and <see cref="OffsetGradient"/> of the same features and map.</summary>
    public abstract void SimilarityAndOffsetGradient(
        int groups,
        int points,
        Tensor weights,
        Tensor features,
        Tensor map,
        Tensor offsets,
        Tensor scores,
        Tensor gradOffsets);

    /// <summary>
    /// The gradients of maps that were sampled at the same points: each collects weights[p] · features from the points
    /// that touch a cell.
    /// </summary>
    public abstract void MapGradients(int groups, int points, Tensor offsets, params ReadOnlySpan<PointGradient> gradients);
}

/// <summary>A gradient of a sampled map.</summary>
/// <param name="Weights">A value for every point, [B, G·P, OH, OW].</param>
/// <param name="Features">Features of the queries, [B, G·C, OH, OW].</param>
/// <param name="Result">The gradient, [B, G·C, H, W].</param>
internal readonly record struct PointGradient(Tensor Weights, Tensor Features, Tensor Result);

/// <summary>Sampling with the element type's accumulator.</summary>
internal sealed class PointKernels<TElement, TStorage, TAccumulator> : PointKernels
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    private const int MostChunks = 64;
    private const int SmallestChunk = 256;

    private readonly VariantTable<PointSamplingParameters<TStorage>> similarity = Sampling(
        typeof(PointSimilarity<TElement, TStorage, TAccumulator>),
        variant => (typeof(PointSimilarityProgram<,,,,>), [.. Simd(variant), typeof(PointScore)]));

    private readonly VariantTable<PointSamplingParameters<TStorage>> reassembly = Sampling(
        typeof(PointReassembly<TElement, TStorage, TAccumulator>),
        variant => (typeof(PointReassemblyProgram<,,,>), Simd(variant)));

    private readonly VariantTable<PointSamplingParameters<TStorage>> offsetGradient = Sampling(
        typeof(PointOffsetGradient<TElement, TStorage, TAccumulator>),
        variant => (typeof(PointSimilarityProgram<,,,,>), [.. Simd(variant), typeof(PointSlope)]));

    private readonly VariantTable<PointSamplingParameters<TStorage>> similarityAndOffsetGradient = new(variant =>
        KernelVariants.Tiles<PointSamplingParameters<TStorage>>(
            typeof(PointSimilarityProgram<,,,,>), [.. Simd(variant), typeof(PointScoreAndSlope)]));

    private readonly VariantTable<PointSamplingParameters<TStorage>> scatter = new(variant =>
        KernelVariants.Tiles<PointSamplingParameters<TStorage>>(typeof(PointScatterProgram<,,,>), Simd(variant)));

    private readonly VariantTable<PointGatherParameters<TStorage, TAccumulator>> count =
        KernelVariants.Maps<PointGatherParameters<TStorage, TAccumulator>>(
            typeof(PointCount<TElement, TStorage, TAccumulator>));

    private readonly VariantTable<PointGatherParameters<TStorage, TAccumulator>> chunkSums =
        KernelVariants.Maps<PointGatherParameters<TStorage, TAccumulator>>(
            typeof(PointChunkSums<TStorage, TAccumulator>));

    private readonly VariantTable<PointGatherParameters<TStorage, TAccumulator>> starts =
        KernelVariants.Maps<PointGatherParameters<TStorage, TAccumulator>>(typeof(PointStarts<TStorage, TAccumulator>));

    private readonly VariantTable<PointGatherParameters<TStorage, TAccumulator>> chunkStarts =
        KernelVariants.Maps<PointGatherParameters<TStorage, TAccumulator>>(
            typeof(PointChunkStarts<TStorage, TAccumulator>));

    private readonly VariantTable<PointGatherParameters<TStorage, TAccumulator>> placement =
        KernelVariants.Maps<PointGatherParameters<TStorage, TAccumulator>>(
            typeof(PointPlacement<TElement, TStorage, TAccumulator>));

    private readonly VariantTable<PointGatherParameters<TStorage, TAccumulator>> gather =
        KernelVariants.Maps<PointGatherParameters<TStorage, TAccumulator>>(
            typeof(PointGather<TElement, TStorage, TAccumulator>));

    public override void Similarity(
        int groups, int points, Tensor features, Tensor map, Tensor offsets, Tensor result)
    {
        using var pixels = new ChannelsLastMap(map);
        var parameters = Parameters(groups, points, pixels.Tensor, offsets, result) with
        {
            Features = features.Map<TStorage>(),
        };
        similarity[KernelVariant.Fitting<TAccumulator>(map.Device, parameters.GroupChannels)].Launch(map.Device.Launcher, in parameters);
    }

    public override void Reassembly(
        int groups, int points, Tensor weights, Tensor map, Tensor offsets, Tensor result)
    {
        using var pixels = new ChannelsLastMap(map);
        var parameters = Parameters(groups, points, pixels.Tensor, offsets, result) with
        {
            Weights = weights.Map<TStorage>(),
        };
        reassembly[KernelVariant.Fitting<TAccumulator>(map.Device, parameters.GroupChannels)].Launch(map.Device.Launcher, in parameters);
    }

    public override void OffsetGradient(
        int groups,
        int points,
        Tensor weights,
        Tensor features,
        Tensor map,
        Tensor offsets,
        Tensor gradOffsets,
        bool accumulate)
    {
        using var pixels = new ChannelsLastMap(map);
        var parameters = Parameters(groups, points, pixels.Tensor, offsets, gradOffsets) with
        {
            Features = features.Map<TStorage>(),
            Weights = weights.Map<TStorage>(),
            Accumulate = accumulate ? 1 : 0,
        };
        offsetGradient[KernelVariant.Fitting<TAccumulator>(map.Device, parameters.GroupChannels)].Launch(map.Device.Launcher, in parameters);
    }

    public override void SimilarityAndOffsetGradient(
        int groups,
        int points,
        Tensor weights,
        Tensor features,
        Tensor map,
        Tensor offsets,
        Tensor scores,
        Tensor gradOffsets)
    {
        if (!map.Device.RunsVectorPrograms)
        {
            Similarity(groups, points, features, map, offsets, scores);
            OffsetGradient(groups, points, weights, features, map, offsets, gradOffsets, accumulate: false);
            return;
        }
        using var pixels = new ChannelsLastMap(map);
        var parameters = Parameters(groups, points, pixels.Tensor, offsets, gradOffsets) with
        {
            Features = features.Map<TStorage>(),
            Weights = weights.Map<TStorage>(),
            Scores = scores.Map<TStorage>(),
        };
        similarityAndOffsetGradient[KernelVariant.Fitting<TAccumulator>(map.Device, parameters.GroupChannels)]
            .Launch(map.Device.Launcher, in parameters);
    }

    public override void MapGradients(
        int groups, int points, Tensor offsets, params ReadOnlySpan<PointGradient> gradients)
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
        int perChunk = Math.Max(SmallestChunk, (queries + MostChunks - 1) / MostChunks);
        int chunks = (queries + perChunk - 1) / perChunk;
        long entries = 4L * groups * queries * points;
        long counts = (long)groups * chunks * cells;
        long lists = (long)groups * (cells + 1);
        var device = offsets.Device;
        long shareBytes = entries * Unsafe.SizeOf<TAccumulator>();
        var memory = device.Pool.Rent(shareBytes + (entries + counts + lists) * sizeof(int));
        try
        {
            for (int image = 0; image < map.Batch; image++)
            {
                var parameters = new PointGatherParameters<TStorage, TAccumulator>
                {
                    Image = image,
                    Groups = groups,
                    Points = points,
                    Rows = WindowShape.Axis(map.Height, offsets.Shape.Height),
                    Columns = WindowShape.Axis(map.Width, offsets.Shape.Width),
                    Chunks = chunks,
                    QueriesPerChunk = perChunk,
                    Offsets = offsets.Map<TStorage>(),
                    Shares = memory.View<TAccumulator>(0, entries),
                    Samples = memory.View<int>(shareBytes, entries),
                    Counts = memory.View<int>(shareBytes + entries * sizeof(int), counts),
                    Starts = memory.View<int>(shareBytes + (entries + counts) * sizeof(int), lists),
                    Weights = gradients[0].Weights.Map<TStorage>(),
                    Features = gradients[0].Features.Map<TStorage>(),
                    Result = gradients[0].Result.Map<TStorage>(),
                };
                count.Launch(device, in parameters);
                chunkSums.Launch(device, in parameters);
                starts.Launch(device, in parameters);
                chunkStarts.Launch(device, in parameters);
                placement.Launch(device, in parameters);
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

    private static VariantTable<PointSamplingParameters<TStorage>> Sampling(
        Type map, Func<KernelVariant, (Type Open, Type[] Arguments)> vectors) => new(variant =>
        {
            if (variant.VectorBits == 0)
                return KernelVariants.Group<PointSamplingParameters<TStorage>>(
                    typeof(MapKernel<,>), map, typeof(PointSamplingParameters<TStorage>));
            var (open, arguments) = vectors(variant);
            return KernelVariants.Tiles<PointSamplingParameters<TStorage>>(open, arguments);
        });

    private static Type[] Simd(KernelVariant variant) =>
        KernelVariants.SimdArguments<TElement, TStorage, TAccumulator>(variant);

    private void Gather(
        int groups, in PointGatherParameters<TStorage, TAccumulator> lists, in PointGradient gradient)
    {
        var (weights, features, result) = gradient;
        var parameters = lists with
        {
            GroupChannels = result.Shape.Channels / groups,
            Features = features.Map<TStorage>(),
            Weights = weights.Map<TStorage>(),
            Result = result.Map<TStorage>(),
        };
        gather.Launch(result.Device, in parameters);
    }

    private void Scatter(int groups, int points, Tensor offsets, in PointGradient gradient)
    {
        var (weights, features, result) = gradient;
        scatter.Launch(result.Device, Parameters(groups, points, result, offsets, result) with
        {
            Features = features.Map<TStorage>(),
            Weights = weights.Map<TStorage>(),
            BlockChannels = BlockChannels(groups, result),
        });
    }

    // As many channels as leave every thread two pieces of work: the fewer pieces, the fewer times points are found. What
    // is computed is the same, whatever the pieces.
    private static int BlockChannels(int groups, Tensor map)
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

    private static PointSamplingParameters<TStorage> Parameters(
        int groups, int points, Tensor map, Tensor offsets, Tensor result) => new()
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
}

using System.Numerics;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>
/// Cross-resolution attention by thread groups. The statistics of the queries come first, so that every later kernel computes
/// the weights of its own pairs; sums of queries and sums of cells are kernels of their own.
/// </summary>
internal sealed class CrossGroupKernels<TElement, TStorage, TReal, TRealElement>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TRealElement : struct, IElement<TReal, TReal>
{
    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> statistics = Table(new StatisticsKernel());
    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> means = Table(new MeansKernel());
    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> outputs =
        Table(new OutputsKernel());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> outputDirections =
        Table(new QueriesKernel<WeightDirectionCoefficient>());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> queries =
        Table(new QueryGradientsKernel());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> secondQueries =
        Table(new QueriesKernel<SecondScoreCoefficient>());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> values =
        Table(new TiledCellsKernel<WeightCoefficient>());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> secondValues =
        Table(new CellsKernel<WeightDirectionCoefficient>());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> keys =
        Table(new TiledCellsKernel<GradScoreCoefficient>());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> secondKeys =
        Table(new CellsKernel<SecondScoreCoefficient>());

    private readonly VariantTable<CrossPartParameters<TStorage, TReal>> partSums =
        MapPrograms.Table<CrossPartParameters<TStorage, TReal>, CrossPartSums<TElement, TStorage, TReal>>();

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> bias =
        Table(new BiasKernel<GradScoreCoefficient>());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> secondBias =
        Table(new BiasKernel<SecondScoreCoefficient>());

    /// <summary>The output; the statistics are kept where there is a map for them.</summary>
    public void Forward(
        in CrossOperands operands,
        CrossAttentionParameters<TStorage, TReal> parameters,
        FeatureMap output,
        FeatureMap? kept)
    {
        var device = output.Device;
        using var own = kept is null ? Numbers(2, operands.Heads, operands.Query) : null;
        parameters.Statistics = (kept ?? own!).Map<TReal>();
        parameters.OutputResult = output.Map<TStorage>();
        var variant = CrossTileChoice.Apply<TElement, TReal>(
            Choose(in parameters.Extent, in operands, output), in parameters.Extent, in operands, output);
        if (variant.Tiles == TileChoice.None)
            statistics[variant].Launch(device.Launcher, in parameters);
        outputs[variant].Launch(device.Launcher, in parameters);
    }

    /// <summary>The gradients that have a map.</summary>
    public void Backward(
        in CrossOperands operands,
        ref CrossAttentionParameters<TStorage, TReal> parameters,
        FeatureMap gradOutput,
        in CrossResults results)
    {
        var launcher = gradOutput.Device.Launcher;
        using var kept = Numbers(3, operands.Heads, operands.Query);
        parameters.Means = kept.Map<TReal>();
        var variant = Choose(
            in parameters.Extent, in operands, gradOutput, results.Query, results.Key, results.Value);
        var tiled = CrossTileChoice.Apply<TElement, TReal>(
            variant, in parameters.Extent, in operands, gradOutput, results.Query ?? operands.Query);

        // The program on tiles that computes the gradient of the query saves the means.
        bool savesMeans = tiled.Tiles != TileChoice.None && results.Query is not null;
        if (!savesMeans
            && (results.Query is not null || results.Key is not null || results.KeyBias is not null))
        {
            means[variant].Launch(launcher, in parameters);
        }
        if (results.Query is not null)
            queries[tiled].Launch(launcher, in parameters);
        if (results.Key is not null)
            SumCells<GradScoreCoefficient>(keys, tiled, ref parameters, results.Key);
        if (results.Value is not null)
            SumCells<WeightCoefficient>(values, tiled, ref parameters, results.Value);
        if (results.KeyBias is not null)
            bias[variant].Launch(launcher, in parameters);
    }

    /// <summary>The gradients, that have a map, of the inner products of the gradients with directions.</summary>
    public void DoubleBackward(
        in CrossOperands operands,
        ref CrossAttentionParameters<TStorage, TReal> parameters,
        FeatureMap gradOutput,
        in CrossDirections directions,
        in CrossResults results)
    {
        var launcher = gradOutput.Device.Launcher;
        using var kept = Numbers(3, operands.Heads, operands.Query);
        parameters.Means = kept.Map<TReal>();
        var variant = Choose(
            in parameters.Extent,
            in operands,
            gradOutput,
            directions.Query,
            directions.Key,
            directions.Value,
            results.Output,
            results.Query,
            results.Key,
            results.Value);
        means[variant].Launch(launcher, in parameters);
        if (results.Output is not null)
            outputDirections[variant].Launch(launcher, in parameters);
        if (results.Query is not null)
            secondQueries[variant].Launch(launcher, in parameters);
        if (results.Key is not null)
            secondKeys[variant].Launch(launcher, in parameters);
        if (results.Value is not null)
            secondValues[variant].Launch(launcher, in parameters);
        if (results.KeyBias is not null)
            secondBias[variant].Launch(launcher, in parameters);
    }

    // Programs on tiles sum parts of the queries on their own, which are added up in a fixed order.
    private void SumCells<TCoefficient>(
        VariantTable<CrossAttentionParameters<TStorage, TReal>> table,
        KernelVariant variant,
        ref CrossAttentionParameters<TStorage, TReal> parameters,
        FeatureMap result)
        where TCoefficient : struct, ICrossCoefficient
    {
        var device = result.Device;
        if (variant.Tiles == TileChoice.None)
        {
            table[variant].Launch(device.Launcher, in parameters);
            return;
        }
        int splits = CrossTileChoice.Splits<TCoefficient>(in parameters.Extent);
        using var partial = FeatureMap.Create(
            device,
            new MapShape(
                checked(splits * result.Shape.Batch), result.Shape.Channels, result.Shape.Height, result.Shape.Width),
            variant.ValueVectors ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous,
            result.ElementType.Accumulator());
        parameters.Splits = splits;
        parameters.Partial = partial.Map<TReal>();
        bool fits = MapAccess.HasShortPositions([partial], variant.ValueVectors);
        table[fits ? variant : variant with { Tiles = TileChoice.None, Matrix = MatrixChoice.None }]
            .Launch(device.Launcher, in parameters);
        if (!fits)
            return;
        partSums.Launch(device, new CrossPartParameters<TStorage, TReal>
        {
            Splits = splits,
            Batch = result.Shape.Batch,
            Channels = result.Shape.Channels,
            Height = result.Shape.Height,
            Width = result.Shape.Width,
            Partial = parameters.Partial,
            Result = result.Map<TStorage>(),
        });
    }

    private static FeatureMap Numbers(int count, int heads, FeatureMap query) => FeatureMap.Create(
        query.Device,
        new MapShape(query.Shape.Batch, checked(count * heads), query.Shape.Height, query.Shape.Width),
        MemoryFormat.Contiguous,
        query.ElementType.Accumulator());

    // Channels by vectors where all maps, and the channels of every head, allow it.
    private static KernelVariant Choose(
        in CrossExtent extent, in CrossOperands operands, params ReadOnlySpan<FeatureMap?> others)
    {
        var (query, key, value) = (operands.Query, operands.Key, operands.Value);
        bool vectors = Pack4Layout.Fits(query)
            && Pack4Layout.Fits(key)
            && Pack4Layout.Fits(value)
            && extent.KeyChannels % Pack4Layout.Channels == 0
            && extent.ValueChannels % Pack4Layout.Channels == 0;
        foreach (var map in others)
            vectors &= map is null || Pack4Layout.Fits(map);
        return KernelVariant.Choose(query.Device, vectors, vectors) with { Normalisation = operands.Normalisation };
    }

    private static VariantTable<CrossAttentionParameters<TStorage, TReal>> Table(
        OpenKernel<CrossAttentionParameters<TStorage, TReal>> kernel) => new(kernel.Close);

    private sealed class StatisticsKernel : OpenKernel<CrossAttentionParameters<TStorage, TReal>>
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CrossStatistics<TElement, TStorage, TReal, TEmbedding, TNormalisation>, CrossAttentionParameters<TStorage, TReal>>();
    }

    private sealed class MeansKernel : OpenKernel<CrossAttentionParameters<TStorage, TReal>>
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CrossMeans<TElement, TStorage, TReal, TEmbedding, TNormalisation>, CrossAttentionParameters<TStorage, TReal>>();
    }

    private class QueriesKernel<TCoefficient> : OpenKernel<CrossAttentionParameters<TStorage, TReal>>
        where TCoefficient : struct, ICrossCoefficient
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CrossQueries<TElement, TStorage, TReal, TEmbedding, TNormalisation, TCoefficient>,
                CrossAttentionParameters<TStorage, TReal>>();
    }

    private sealed class OutputsKernel : QueriesKernel<WeightCoefficient>
    {
        // In double precision a tile would not fit the shared memory.
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>? CloseTiles<THeads, TAccess>() =>
            typeof(TReal) != typeof(float)
                ? null
                : new GroupLaunchable<
                    CrossTileForward<
                        TElement, TStorage, TReal, TAccess, THeads, CrossLaneProducts<TReal>, CrossLaneState<TReal>>,
                    CrossAttentionParameters<TStorage, TReal>>();

        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>?
            CloseMatrixTiles<TMatrix, THeads, TAccess>() =>
            new GroupLaunchable<
                CrossTileForward<
                    TElement, TStorage, TReal, TAccess, THeads, CrossMatrixProducts<TMatrix, TReal>, CrossMatrixState<TMatrix>>,
                CrossAttentionParameters<TStorage, TReal>>();
    }

    private sealed class QueryGradientsKernel : QueriesKernel<GradScoreCoefficient>
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>? CloseTiles<THeads, TAccess>() =>
            typeof(TReal) != typeof(float)
                ? null
                : new GroupLaunchable<
                    CrossTileQueryGradient<
                        TElement, TStorage, TReal, TAccess, THeads, CrossLaneProducts<TReal>, CrossLaneState<TReal>>,
                    CrossAttentionParameters<TStorage, TReal>>();

        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>?
            CloseMatrixTiles<TMatrix, THeads, TAccess>() =>
            new GroupLaunchable<
                CrossTileQueryGradient<
                    TElement, TStorage, TReal, TAccess, THeads, CrossMatrixProducts<TMatrix, TReal>, CrossMatrixState<TMatrix>>,
                CrossAttentionParameters<TStorage, TReal>>();
    }

    private class CellsKernel<TCoefficient> : OpenKernel<CrossAttentionParameters<TStorage, TReal>>
        where TCoefficient : struct, ICrossCoefficient
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CrossCells<TElement, TStorage, TReal, TEmbedding, TNormalisation, TCoefficient>,
                CrossAttentionParameters<TStorage, TReal>>();
    }

    private sealed class TiledCellsKernel<TCoefficient> : CellsKernel<TCoefficient>
        where TCoefficient : struct, ICrossCoefficient
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>? CloseTiles<THeads, TAccess>() =>
            typeof(TReal) != typeof(float)
                ? null
                : new GroupLaunchable<
                    CrossTileCells<
                        TElement, TStorage, TReal, TRealElement, TAccess, THeads, TCoefficient,
                        CrossLaneProducts<TReal>, CrossLaneState<TReal>>,
                    CrossAttentionParameters<TStorage, TReal>>();

        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>?
            CloseMatrixTiles<TMatrix, THeads, TAccess>() =>
            new GroupLaunchable<
                CrossTileCells<
                    TElement, TStorage, TReal, TRealElement, TAccess, THeads, TCoefficient,
                    CrossMatrixProducts<TMatrix, TReal>, CrossMatrixState<TMatrix>>,
                CrossAttentionParameters<TStorage, TReal>>();
    }

    private sealed class BiasKernel<TCoefficient> : OpenKernel<CrossAttentionParameters<TStorage, TReal>>
        where TCoefficient : struct, ICrossCoefficient
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                CrossBias<TElement, TStorage, TReal, TEmbedding, TNormalisation, TCoefficient>,
                CrossAttentionParameters<TStorage, TReal>>();
    }
}

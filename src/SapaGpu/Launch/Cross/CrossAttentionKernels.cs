using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;

namespace SapaGpu.Launch;

/// <summary>Cross-resolution attention on maps of one element type; callers check arguments.</summary>
internal abstract class CrossAttentionKernels
{
    private static readonly KernelsByElement<CrossAttentionKernels, Factory> Known = new();

    /// <summary>The operator of an element type.</summary>
    public static CrossAttentionKernels For(FeatureMap map) => Known.For(map);

    /// <summary>The output, and the statistics of the weights where there is a map for them.</summary>
    public abstract void Forward(in CrossOperands operands, FeatureMap output, FeatureMap? statistics);

    /// <summary>The gradients that have a map.</summary>
    public abstract void Backward(
        in CrossOperands operands, FeatureMap statistics, FeatureMap gradOutput, in CrossResults results);

    /// <summary>
    /// The gradients of window attention that have a map, on a device that runs vector programs.
    /// </summary>
    /// <param name="operands">Its operands, with the ranges of its windows.</param>
    /// <param name="normaliser">The log-sum-exp of the scores, [B, h, OH, OW].</param>
    /// <param name="gradOutput">The gradient of the output.</param>
    /// <param name="results">The gradients to be written.</param>
    public abstract void BackwardOfWindows(
        in CrossOperands operands, FeatureMap normaliser, FeatureMap gradOutput, in CrossResults results);

    /// <summary>The gradients, that have a map, of the inner products of the gradients with directions.</summary>
    public abstract void DoubleBackward(
        in CrossOperands operands,
        FeatureMap statistics,
        FeatureMap gradOutput,
        in CrossDirections directions,
        in CrossResults results);

    private readonly struct Factory : IKernelFactory<CrossAttentionKernels>
    {
        CrossAttentionKernels IKernelFactory<CrossAttentionKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new CrossAttentionKernels<TElement, TStorage, TReal, TRealElement>(arithmetic);
    }
}

/// <summary>Query, key, value, and the bias of the keys if there is one, with ranges and heads.</summary>
internal readonly record struct CrossOperands(
    FeatureMap Query,
    FeatureMap Key,
    FeatureMap Value,
    FeatureMap? KeyBias,
    WindowRanges Ranges,
    int Heads,
    bool AveragesHeads,
    double ScoreScale,
    ScoreNormalisation Normalisation);

/// <summary>Directions of the gradients of query, key, value and bias.</summary>
internal readonly record struct CrossDirections(FeatureMap Query, FeatureMap Key, FeatureMap Value, FeatureMap? KeyBias);

/// <summary>Where gradients are written; those without a map are not computed.</summary>
internal readonly record struct CrossResults(
    FeatureMap? Output, FeatureMap? Query, FeatureMap? Key, FeatureMap? Value, FeatureMap? KeyBias)
{
    /// <summary>Gets whether a gradient of cells is wanted.</summary>
    public bool HasCells => Key is not null || Value is not null || KeyBias is not null;

    /// <summary>Gets whether there is nothing to compute.</summary>
    public bool AreEmpty => Output is null && Query is null && !HasCells;
}

/// <summary>Cross-resolution attention with the element type's accumulator.</summary>
internal sealed class CrossAttentionKernels<TElement, TStorage, TReal, TRealElement>(
    ElementArithmetic<TStorage, TReal> arithmetic) : CrossAttentionKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TRealElement : struct, IElement<TReal, TReal>
{
    // So many bands of an image keep the threads of a large machine busy.
    private const int WantedBands = 48;

    // The sums of an image take up to these bytes, or so many times those of one band.
    private const long MostBytes = 256L << 20;
    private const long MostBytesOfWindows = 64L << 20;
    private const int LeastBands = 4;

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> forward =
        arithmetic.Table(new ForwardTiles());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> backward =
        arithmetic.Table(new BackwardTiles());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> doubleBackward =
        arithmetic.Table(new DoubleBackwardTiles());

    private readonly VariantTable<CrossAttentionParameters<TStorage, TReal>> cells = arithmetic.Table(new CellTiles());

    private readonly CrossGroupKernels<TElement, TStorage, TReal, TRealElement> groups = new();

    public override void Forward(in CrossOperands operands, FeatureMap output, FeatureMap? statistics)
    {
        if (!output.Device.RunsVectorPrograms)
        {
            groups.Forward(in operands, Parameters(in operands, statistics), output, statistics);
            return;
        }
        var parameters = Parameters(in operands, statistics);
        parameters.OutputResult = output.Map<TStorage>();
        Launch(forward, output.Device, in operands, in parameters);
    }

    public override void Backward(
        in CrossOperands operands, FeatureMap statistics, FeatureMap gradOutput, in CrossResults results)
    {
        if (results.AreEmpty)
            return;
        var parameters = Parameters(in operands, statistics);
        SetResults(ref parameters, gradOutput, in results);
        if (!gradOutput.Device.RunsVectorPrograms)
        {
            groups.Backward(in operands, ref parameters, gradOutput, in results);
            return;
        }
        Sum(backward, gradOutput.Device, in operands, ref parameters, results.HasCells);
    }

    public override void BackwardOfWindows(
        in CrossOperands operands, FeatureMap normaliser, FeatureMap gradOutput, in CrossResults results)
    {
        if (results.AreEmpty)
            return;
        var parameters = Parameters(in operands, normaliser);
        parameters.HasNormalisers = 1;
        SetResults(ref parameters, gradOutput, in results);
        Sum(backward, gradOutput.Device, in operands, ref parameters, results.HasCells);
    }

    public override void DoubleBackward(
        in CrossOperands operands,
        FeatureMap statistics,
        FeatureMap gradOutput,
        in CrossDirections directions,
        in CrossResults results)
    {
        if (results.AreEmpty)
            return;
        var parameters = Parameters(in operands, statistics);
        SetResults(ref parameters, gradOutput, in results);
        parameters.QueryDirection = directions.Query.Map<TStorage>();
        parameters.KeyDirection = directions.Key.Map<TStorage>();
        parameters.ValueDirection = directions.Value.Map<TStorage>();
        parameters.BiasDirection = Map<TStorage>(directions.KeyBias);
        parameters.HasDirections = 1;
        parameters.HasBiasDirection = directions.KeyBias is null ? 0 : 1;
        if (!gradOutput.Device.RunsVectorPrograms)
        {
            groups.DoubleBackward(in operands, ref parameters, gradOutput, in directions, in results);
            return;
        }
        Sum(doubleBackward, gradOutput.Device, in operands, ref parameters, results.HasCells);
    }

    private void Sum(
        VariantTable<CrossAttentionParameters<TStorage, TReal>> pass,
        ComputeDevice device,
        in CrossOperands operands,
        ref CrossAttentionParameters<TStorage, TReal> parameters,
        bool hasCells)
    {
        // Neither the batch nor threads nor the workspace have a say in the bands, so that an image has the same bits in any company.
        int batch = parameters.Extent.Batch;
        var plan = operands.Ranges.Plan;
        int count = Math.Min(WantedBands, plan.RowTiles.Length - 1);
        var (table, cellRows) = plan.Bands(operands.Ranges.Rows, count);
        long most = Math.Max(
            parameters.HasNormalisers == 0 ? MostBytes : MostBytesOfWindows,
            LeastBands * BytesOfImage(in parameters, 1, parameters.Extent.Height));
        while (count > 1 && BytesOfImage(in parameters, count, cellRows) > most)
        {
            count = (count + 1) / 2;
            (table, cellRows) = plan.Bands(operands.Ranges.Rows, count);
        }
        long bytes = BytesOfImage(in parameters, count, cellRows);
        int images = (int)Math.Clamp(device.Options.WorkspaceBytes / bytes, 1, batch);
        var bands = DeviceMemory.Allocate(device, table.Length * sizeof(int));
        var sums = DeviceMemory.Allocate(device, bytes * images);
        try
        {
            device.Backend.Write<int>(bands.View<int>(table.Length), table);
            parameters.Bands = bands.View<int>(table.Length);
            parameters.BandCount = count;
            parameters.BandCellRows = Math.Max(1, cellRows);
            parameters.Sums = sums.View<TReal>(bytes * images / Unsafe.SizeOf<TReal>());
            for (int first = 0; first < batch; first += images)
            {
                parameters.FirstImage = first;
                parameters.ImageCount = Math.Min(images, batch - first);
                Launch(pass, device, in operands, in parameters);
                if (hasCells)
                    cells.Launch(device, in parameters);
            }
        }
        finally
        {
            bands.Release();
            sums.Release();
        }
    }

    private static void Launch(
        VariantTable<CrossAttentionParameters<TStorage, TReal>> pass,
        ComputeDevice device,
        in CrossOperands operands,
        in CrossAttentionParameters<TStorage, TReal> parameters) =>
        pass[KernelVariant.Choose(device) with { Normalisation = operands.Normalisation }]
            .Launch(device.Launcher, in parameters);

    private static long BytesOfImage(in CrossAttentionParameters<TStorage, TReal> parameters, int bands, int cellRows)
    {
        var sized = parameters with { BandCellRows = Math.Max(1, cellRows) };
        return CrossSums<TStorage, TReal>.Length(in sized) * parameters.Extent.WeightSets * bands * Unsafe.SizeOf<TReal>();
    }

    private static void SetResults(
        ref CrossAttentionParameters<TStorage, TReal> parameters, FeatureMap gradOutput, in CrossResults results)
    {
        parameters.GradOutput = gradOutput.Map<TStorage>();
        parameters.OutputResult = Map<TStorage>(results.Output);
        parameters.QueryResult = Map<TStorage>(results.Query);
        parameters.KeyResult = Map<TStorage>(results.Key);
        parameters.ValueResult = Map<TStorage>(results.Value);
        parameters.BiasResult = Map<TStorage>(results.KeyBias);
    }

    private static CrossAttentionParameters<TStorage, TReal> Parameters(in CrossOperands operands, FeatureMap? statistics)
    {
        var (query, key, value, bias, ranges, heads, averages, scale, _) = operands;
        var tables = ranges.On(query.Device);
        return new CrossAttentionParameters<TStorage, TReal>
        {
            Extent = new CrossExtent
            {
                Batch = query.Shape.Batch,
                Height = key.Shape.Height,
                Width = key.Shape.Width,
                OutputHeight = query.Shape.Height,
                OutputWidth = query.Shape.Width,
                Heads = heads,
                KeyChannels = query.Shape.Channels / heads,
                ValueChannels = averages ? value.Shape.Channels : value.Shape.Channels / heads,
                AveragesHeads = averages ? 1 : 0,
                OutsideIsZero = ranges.OutsideIsZero ? 1 : 0,
            },
            Scale = TReal.CreateTruncating(scale),
            Rows = tables.Rows,
            Columns = tables.Columns,
            RowTiles = tables.RowTiles,
            ColumnTiles = tables.ColumnTiles,
            RowQueries = tables.RowQueries,
            ColumnQueries = tables.ColumnQueries,
            TileQueries = ranges.Plan.TileQueries,
            TileCellRows = ranges.Plan.TileCellRows,
            TileCellColumns = ranges.Plan.TileCellColumns,
            Query = query.Map<TStorage>(),
            Key = key.Map<TStorage>(),
            Value = value.Map<TStorage>(),
            Bias = Map<TStorage>(bias),
            HasBias = bias is null ? 0 : 1,
            Statistics = Map<TReal>(statistics),
        };
    }

    private static MapView<T> Map<T>(FeatureMap? map)
        where T : unmanaged => map is null ? default : map.Map<T>();

    private sealed class ForwardTiles : OpenTiles<TStorage, TReal, CrossAttentionParameters<TStorage, TReal>>
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                CrossAttentionForwardProgram<TSimd, TStorage, TReal, TVector, TNormalisation>,
                CrossAttentionParameters<TStorage, TReal>>();
    }

    private sealed class BackwardTiles : OpenTiles<TStorage, TReal, CrossAttentionParameters<TStorage, TReal>>
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                CrossAttentionGradientProgram<
                    TSimd, TStorage, TReal, TVector, CrossBackwardStep<TSimd, TStorage, TReal, TVector, TNormalisation>>,
                CrossAttentionParameters<TStorage, TReal>>();
    }

    private sealed class DoubleBackwardTiles : OpenTiles<TStorage, TReal, CrossAttentionParameters<TStorage, TReal>>
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                CrossAttentionGradientProgram<
                    TSimd, TStorage, TReal, TVector, CrossDoubleBackwardStep<TSimd, TStorage, TReal, TVector, TNormalisation>>,
                CrossAttentionParameters<TStorage, TReal>>();
    }

    private sealed class CellTiles : OpenTiles<TStorage, TReal, CrossAttentionParameters<TStorage, TReal>>
    {
        public override ILaunchable<CrossAttentionParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                CrossCellsProgram<TSimd, TStorage, TReal, TVector>, CrossAttentionParameters<TStorage, TReal>>();
    }
}

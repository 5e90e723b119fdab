using System.Numerics;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>
/// Normalisation of features as a separate step, on features of one element type; callers check arguments.
/// </summary>
internal abstract class FeatureNormKernels
{
    private static readonly KernelsByElement<FeatureNormKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static FeatureNormKernels For(FeatureMap map) => Known.For(map);

    /// <summary>
    /// Normalises over the channels of every pixel; the statistics, mean and reciprocal deviation, are [B, 2, H, W].
    /// </summary>
    public abstract void LayerForward(
        FeatureMap weight, FeatureMap bias, double epsilon, FeatureMap input, FeatureMap output, FeatureMap statistics);

    /// <summary>
    /// Mean and reciprocal deviation of groups of channels of every image; the statistics are [B, 2·groups, 1, 1].
    /// </summary>
    public abstract void GroupStatistics(int groups, double epsilon, FeatureMap input, FeatureMap statistics);

    /// <summary>Normalises over groups of channels of every image.</summary>
    public abstract void GroupNormalise(
        int groups, FeatureMap weight, FeatureMap bias, FeatureMap input, FeatureMap statistics, FeatureMap output);

    /// <summary>The gradient of the features of a LayerNorm, written or added.</summary>
    public abstract void LayerNormBackward(
        FeatureMap weight, FeatureMap input, FeatureMap gradient, FeatureMap statistics, FeatureMap gradInput, bool accumulate);

    /// <summary>The gradients of factor and offset, and, of groups, that of the features, written or added.</summary>
    /// <param name="groups">The groups; 0 for LayerNorm, whose features have a backward of their own.</param>
    /// <param name="weight">The factor.</param>
    /// <param name="input">The features.</param>
    /// <param name="gradient">The gradient of the normalised features.</param>
    /// <param name="statistics">The statistics that the forward wrote.</param>
    /// <param name="gradWeight">The gradient of the factor.</param>
    /// <param name="gradBias">The gradient of the offset.</param>
    /// <param name="gradInput">The gradient of the features.</param>
    /// <param name="accumulate">Whether it is added to what is there.</param>
    public abstract void Backward(
        int groups,
        FeatureMap weight,
        FeatureMap input,
        FeatureMap gradient,
        FeatureMap statistics,
        FeatureMap gradWeight,
        FeatureMap gradBias,
        FeatureMap gradInput,
        bool accumulate);

    private readonly struct Factory : IKernelFactory<FeatureNormKernels>
    {
        FeatureNormKernels IKernelFactory<FeatureNormKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new FeatureNormKernels<TElement, TStorage, TReal>(arithmetic);
    }
}

/// <summary>The normalisation with the element type's accumulator.</summary>
internal sealed class FeatureNormKernels<TElement, TStorage, TReal>(
    ElementArithmetic<TStorage, TReal> arithmetic) : FeatureNormKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<LayerNormBackwardParameters<TStorage, TReal>> layerNorms =
        arithmetic.Table(new LayerBackwardTiles(), new LayerBackwardKernel());

    // Not on the CPU, where statistics and normalised features of a pixel are one step.
    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> pixelMoments =
        MapPrograms.Table<FeatureNormParameters<TStorage, TReal>, PixelMoments<TElement, TStorage, TReal>>();

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> layerForward = arithmetic.Table(
        new LayerTiles(), new MapKernelOf<FeatureNormParameters<TStorage, TReal>, FeatureNormForward<TElement, TStorage, TReal>>());

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> rowSums = arithmetic.Table(
        new RowTiles<PlainRowTerms>(), new MapKernelOf<FeatureNormParameters<TStorage, TReal>, RowSums<TElement, TStorage, TReal>>());

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> rowSquares = arithmetic.Table(
        new RowTiles<SquareRowTerms>(), new MapKernelOf<FeatureNormParameters<TStorage, TReal>, RowSquares<TElement, TStorage, TReal>>());

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> means = MapPrograms.Table<
        FeatureNormParameters<TStorage, TReal>, GroupMeans<TElement, TStorage, TReal>, GroupTotalsProgram<TStorage, TReal, MeanTotal>>();

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> deviations = MapPrograms.Table<
        FeatureNormParameters<TStorage, TReal>, GroupDeviations<TElement, TStorage, TReal>, GroupTotalsProgram<TStorage, TReal, DeviationTotal>>();

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> groupForward = arithmetic.Table(
        new GroupTiles<NormForward>(), new MapKernelOf<FeatureNormParameters<TStorage, TReal>, FeatureNormForward<TElement, TStorage, TReal>>());

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> rowGradients = arithmetic.Table(
        new RowTiles<GradientRowTerms>(), new MapKernelOf<FeatureNormParameters<TStorage, TReal>, RowGradientSums<TElement, TStorage, TReal>>());

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> parameterGradients = MapPrograms.Table<
        FeatureNormParameters<TStorage, TReal>, FeatureNormParameterGradients<TStorage, TReal>, FeatureNormParameterProgram<TStorage, TReal>>();

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> gradientMeans = MapPrograms.Table<
        FeatureNormParameters<TStorage, TReal>, GroupGradientMeans<TElement, TStorage, TReal>, GroupTotalsProgram<TStorage, TReal, GradientTotal>>();

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> groupBackward = arithmetic.Table(
        new GroupTiles<NormBackward>(), new MapKernelOf<FeatureNormParameters<TStorage, TReal>, GroupNormBackward<TElement, TStorage, TReal>>());

    public override void LayerForward(
        FeatureMap weight, FeatureMap bias, double epsilon, FeatureMap input, FeatureMap output, FeatureMap statistics)
    {
        var parameters = Parameters(1, weight, input) with
        {
            Result = output.Map<TStorage>(),
            Bias = bias.Elements<TReal>(),
            Statistics = statistics.Map<TReal>(),
            Epsilon = TReal.CreateTruncating(epsilon),
        };
        if (!input.Device.RunsVectorPrograms)
            pixelMoments.Launch(input.Device, in parameters);
        layerForward.Launch(input.Device, in parameters);
    }

    public override void GroupStatistics(int groups, double epsilon, FeatureMap input, FeatureMap statistics)
    {
        var device = input.Device;
        using var rows = RowSumsOf(input);
        var parameters = Parameters(groups, rows, input) with
        {
            Statistics = OfImages(statistics),
            RowSums = rows.Map<TReal>(),
            Epsilon = TReal.CreateTruncating(epsilon),
        };
        rowSums.Launch(device, in parameters);
        means.Launch(device, in parameters);
        rowSquares.Launch(device, in parameters);
        deviations.Launch(device, in parameters);
    }

    public override void GroupNormalise(
        int groups, FeatureMap weight, FeatureMap bias, FeatureMap input, FeatureMap statistics, FeatureMap output)
    {
        var parameters = Parameters(groups, weight, input) with
        {
            Result = output.Map<TStorage>(),
            Bias = bias.Elements<TReal>(),
            Statistics = OfImages(statistics),
        };
        groupForward.Launch(input.Device, in parameters);
    }

    public override void LayerNormBackward(
        FeatureMap weight, FeatureMap input, FeatureMap gradient, FeatureMap statistics, FeatureMap gradInput, bool accumulate)
    {
        var parameters = new LayerNormBackwardParameters<TStorage, TReal>
        {
            Extent = Extent(input.Shape),
            Gradient = gradient.Map<TStorage>(),
            Input = input.Map<TStorage>(),
            Statistics = statistics.Map<TReal>(),
            NormWeight = weight.Elements<TReal>(),
            Result = gradInput.Map<TStorage>(),
            Accumulate = accumulate ? 1 : 0,
        };
        layerNorms[KernelVariant.Choose(input.Device)].Launch(input.Device.Launcher, in parameters);
    }

    public override void Backward(
        int groups,
        FeatureMap weight,
        FeatureMap input,
        FeatureMap gradient,
        FeatureMap statistics,
        FeatureMap gradWeight,
        FeatureMap gradBias,
        FeatureMap gradInput,
        bool accumulate)
    {
        var device = input.Device;
        using var rows = RowSumsOf(input);
        using var groupMeans = FeatureMap<TReal>.Create(
            device, new MapShape(input.Shape.Batch, 2 * Math.Max(1, groups), 1, 1));
        var parameters = Parameters(Math.Max(1, groups), weight, input) with
        {
            Gradient = gradient.Map<TStorage>(),
            Result = gradInput.Map<TStorage>(),
            Statistics = groups == 0 ? statistics.Map<TReal>() : OfImages(statistics),
            RowSums = rows.Map<TReal>(),
            GradientMeans = groupMeans.Map<TReal>(),
            GradWeight = gradWeight.Elements<TReal>(),
            GradBias = gradBias.Elements<TReal>(),
            Accumulate = accumulate ? 1 : 0,
        };
        rowGradients.Launch(device, in parameters);
        parameterGradients.Launch(device, in parameters);
        if (groups == 0)
        {
            LayerNormBackward(weight, input, gradient, statistics, gradInput, accumulate);
            return;
        }
        gradientMeans.Launch(device, in parameters);
        groupBackward.Launch(device, in parameters);
    }

    private static PointwiseExtent Extent(MapShape shape) =>
        PointwiseExtent.Of(shape.Batch, shape.Channels, shape.Height, shape.Width);

    // Views that a step does not touch are still views of the device.
    private static FeatureNormParameters<TStorage, TReal> Parameters(int groups, FeatureMap weight, FeatureMap input)
    {
        var map = input.Map<TStorage>();
        var vector = weight.Elements<TReal>();
        var wide = new MapView<TReal> { Data = vector };
        return new FeatureNormParameters<TStorage, TReal>
        {
            Extent = Extent(input.Shape),
            Groups = groups,
            Input = map,
            Gradient = map,
            Result = map,
            Statistics = wide,
            RowSums = wide,
            GradientMeans = wide,
            Weight = vector,
            Bias = vector,
            GradWeight = vector,
            GradBias = vector,
        };
    }

    private static FeatureMap<TReal> RowSumsOf(FeatureMap input) => FeatureMap<TReal>.Create(
        input.Device, new MapShape(input.Shape.Batch, 2 * input.Shape.Channels, input.Shape.Height, 1));

    // The statistics of an image serve all of its pixels.
    private static MapView<TReal> OfImages(FeatureMap statistics)
    {
        var map = statistics.Map<TReal>();
        map.RowStride = 0;
        map.ColumnStride = 0;
        return map;
    }

    private sealed class LayerBackwardTiles : OpenTiles<TStorage, TReal, LayerNormBackwardParameters<TStorage, TReal>>
    {
        public override ILaunchable<LayerNormBackwardParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                LayerNormBackwardProgram<TSimd, TStorage, TReal, TVector>,
                LayerNormBackwardParameters<TStorage, TReal>>();
    }

    private sealed class LayerBackwardKernel : OpenKernel<LayerNormBackwardParameters<TStorage, TReal>>
    {
        public override ILaunchable<LayerNormBackwardParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                LayerNormBackward<TElement, TStorage, TReal>,
                LayerNormBackwardParameters<TStorage, TReal>>();
    }

    private sealed class LayerTiles : OpenTiles<TStorage, TReal, FeatureNormParameters<TStorage, TReal>>
    {
        public override ILaunchable<FeatureNormParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                LayerNormProgram<TSimd, TStorage, TReal, TVector>,
                FeatureNormParameters<TStorage, TReal>>();
    }

    private sealed class RowTiles<TTerms> : OpenTiles<TStorage, TReal, FeatureNormParameters<TStorage, TReal>>
        where TTerms : struct, IRowTerms
    {
        public override ILaunchable<FeatureNormParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<FeatureRowSumsProgram<TSimd, TStorage, TReal, TVector, TTerms>, FeatureNormParameters<TStorage, TReal>>();
    }

    private sealed class GroupTiles<TDirection> : OpenTiles<TStorage, TReal, FeatureNormParameters<TStorage, TReal>>
        where TDirection : struct, INormDirection
    {
        public override ILaunchable<FeatureNormParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<GroupNormProgram<TSimd, TStorage, TReal, TVector, TDirection>, FeatureNormParameters<TStorage, TReal>>();
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>
/// Normalisation of features as a step of its own, on features of one element type, arguments checked.
/// </summary>
internal abstract class FeatureNormKernels
{
    private static readonly KernelsByElement<FeatureNormKernels> Known = new(typeof(FeatureNormKernels<,,>));

    /// <summary>The operators of an element type.</summary>
    public static FeatureNormKernels For(ElementType elementType) => Known[elementType];

    /// <summary>
    /// Normalises over the channels of every pixel; the statistics, mean and reciprocal deviation, are [B, 2, H, W].
    /// </summary>
    public abstract void LayerForward(
        FeatureMap weight, FeatureMap bias, double epsilon, FeatureMap input, FeatureMap output, FeatureMap statistics);

    /// <summary>Normalises over groups of channels of every image; the statistics are [B, 2·groups, 1, 1].</summary>
    public abstract void GroupForward(
        int groups, FeatureMap weight, FeatureMap bias, double epsilon, FeatureMap input, FeatureMap output, FeatureMap statistics);

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
}

/// <summary>The normalisation with the element type's accumulator.</summary>
internal sealed class FeatureNormKernels<TElement, TStorage, TReal> : FeatureNormKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<LayerNormBackwardParameters<TStorage, TReal>> layerNorms = new(v =>
        v.VectorBits > 0
            ? KernelVariants.Tiles<LayerNormBackwardParameters<TStorage, TReal>>(
                typeof(LayerNormBackwardProgram<,,,>), KernelVariants.SimdArguments<TElement, TStorage, TReal>(v))
            : KernelVariants.Group<LayerNormBackwardParameters<TStorage, TReal>>(
                typeof(LayerNormBackward<,,>), typeof(TElement), typeof(TStorage), typeof(TReal)));

    // Not on the CPU, where statistics and normalised features of a pixel are one step.
    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> pixelMoments =
        KernelVariants.Maps<FeatureNormParameters<TStorage, TReal>>(
            typeof(PixelMoments<TElement, TStorage, TReal>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> layerForward =
        Simd(
            typeof(LayerNormProgram<,,,>),
            typeof(FeatureNormForward<TElement, TStorage, TReal>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> rowSums =
        Simd(
            typeof(FeatureRowSumsProgram<,,,,>),
            typeof(RowSums<TElement, TStorage, TReal>), typeof(PlainRowTerms));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> rowSquares =
        Simd(
            typeof(FeatureRowSumsProgram<,,,,>),
            typeof(RowSquares<TElement, TStorage, TReal>), typeof(SquareRowTerms));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> means =
        Plain(
            typeof(GroupTotalsProgram<TStorage, TReal, MeanTotal>),
            typeof(GroupMeans<TElement, TStorage, TReal>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> deviations =
        Plain(
            typeof(GroupTotalsProgram<TStorage, TReal, DeviationTotal>),
            typeof(GroupDeviations<TElement, TStorage, TReal>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> groupForward =
        Simd(
            typeof(GroupNormProgram<,,,,>),
            typeof(FeatureNormForward<TElement, TStorage, TReal>), typeof(NormForward));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> rowGradients =
        Simd(
            typeof(FeatureRowSumsProgram<,,,,>),
            typeof(RowGradientSums<TElement, TStorage, TReal>), typeof(GradientRowTerms));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> parameterGradients =
        Plain(
            typeof(FeatureNormParameterProgram<TStorage, TReal>),
            typeof(FeatureNormParameterGradients<TStorage, TReal>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> gradientMeans =
        Plain(
            typeof(GroupTotalsProgram<TStorage, TReal, GradientTotal>),
            typeof(GroupGradientMeans<TElement, TStorage, TReal>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TReal>> groupBackward =
        Simd(
            typeof(GroupNormProgram<,,,,>),
            typeof(GroupNormBackward<TElement, TStorage, TReal>), typeof(NormBackward));

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

    public override void GroupForward(
        int groups, FeatureMap weight, FeatureMap bias, double epsilon, FeatureMap input, FeatureMap output, FeatureMap statistics)
    {
        var device = input.Device;
        using var rows = RowSumsOf(input);
        var parameters = Parameters(groups, weight, input) with
        {
            Result = output.Map<TStorage>(),
            Bias = bias.Elements<TReal>(),
            Statistics = OfImages(statistics),
            RowSums = rows.Map<TReal>(),
            Epsilon = TReal.CreateTruncating(epsilon),
        };
        rowSums.Launch(device, in parameters);
        means.Launch(device, in parameters);
        rowSquares.Launch(device, in parameters);
        deviations.Launch(device, in parameters);
        groupForward.Launch(device, in parameters);
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

    private static VariantTable<FeatureNormParameters<TStorage, TReal>> Simd(
        Type tiles, Type program, params Type[] choices) => new(variant => variant.VectorBits > 0
            ? KernelVariants.Tiles<FeatureNormParameters<TStorage, TReal>>(
                tiles, [.. KernelVariants.SimdArguments<TElement, TStorage, TReal>(variant), .. choices])
            : KernelVariants.Group<FeatureNormParameters<TStorage, TReal>>(
                typeof(MapKernel<,>), program, typeof(FeatureNormParameters<TStorage, TReal>)));

    // Programs that add up too little to need vectors.
    private static VariantTable<FeatureNormParameters<TStorage, TReal>> Plain(Type tiles, Type program) =>
        new(variant => variant.VectorBits > 0
            ? KernelVariants.Tiles<FeatureNormParameters<TStorage, TReal>>(tiles)
            : KernelVariants.Group<FeatureNormParameters<TStorage, TReal>>(
                typeof(MapKernel<,>), program, typeof(FeatureNormParameters<TStorage, TReal>)));

    private static PointwiseExtent Extent(MapShape shape) => new()
    {
        Batch = shape.Batch,
        Height = shape.Height,
        Width = shape.Width,
        InputChannels = shape.Channels,
        OutputChannels = shape.Channels,
    };

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
}

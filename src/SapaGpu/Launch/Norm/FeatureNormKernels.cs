using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>Normalisation of features as a step of its own, on features of one element type, arguments checked.</summary>
internal abstract class FeatureNormKernels
{
    private static readonly KernelsByElement<FeatureNormKernels> Known = new(typeof(FeatureNormKernels<,,>));

    /// <summary>The operators of an element type.</summary>
    public static FeatureNormKernels For(ElementType elementType) => Known[elementType];

    /// <summary>
    /// Normalises over the channels of every pixel; the statistics, mean and reciprocal deviation, are [B, 2, H, W].
    /// </summary>
    public abstract void LayerForward(
        Tensor weight, Tensor bias, double epsilon, Tensor input, Tensor output, Tensor statistics);

    /// <summary>Normalises over groups of channels of every image; the statistics are [B, 2·groups, 1, 1].</summary>
    public abstract void GroupForward(
        int groups, Tensor weight, Tensor bias, double epsilon, Tensor input, Tensor output, Tensor statistics);

    /// <summary>The gradient of the features of a LayerNorm, written or added.</summary>
    public abstract void LayerNormBackward(
        Tensor weight, Tensor input, Tensor gradient, Tensor statistics, Tensor gradInput, bool accumulate);

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
        Tensor weight,
        Tensor input,
        Tensor gradient,
        Tensor statistics,
        Tensor gradWeight,
        Tensor gradBias,
        Tensor gradInput,
        bool accumulate);
}

/// <summary>The normalisation with the element type's accumulator.</summary>
internal sealed class FeatureNormKernels<TElement, TStorage, TAccumulator> : FeatureNormKernels
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    private readonly VariantTable<LayerNormBackwardParameters<TStorage, TAccumulator>> layerNorms = new(v =>
        v.VectorBits > 0
            ? KernelVariants.Tiles<LayerNormBackwardParameters<TStorage, TAccumulator>>(
                typeof(LayerNormBackwardProgram<,,,>), KernelVariants.SimdArguments<TElement, TStorage, TAccumulator>(v))
            : KernelVariants.Group<LayerNormBackwardParameters<TStorage, TAccumulator>>(
                typeof(LayerNormBackward<,,>), typeof(TElement), typeof(TStorage), typeof(TAccumulator)));

    // Not on the CPU, where statistics and normalised features of a pixel are one step.
    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> pixelMoments =
        KernelVariants.Maps<FeatureNormParameters<TStorage, TAccumulator>>(
            typeof(PixelMoments<TElement, TStorage, TAccumulator>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> layerForward =
        Simd(
            typeof(LayerNormProgram<,,,>),
            typeof(FeatureNormForward<TElement, TStorage, TAccumulator>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> rowSums =
        Simd(
            typeof(FeatureRowSumsProgram<,,,,>),
            typeof(RowSums<TElement, TStorage, TAccumulator>), typeof(PlainRowTerms));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> rowSquares =
        Simd(
            typeof(FeatureRowSumsProgram<,,,,>),
            typeof(RowSquares<TElement, TStorage, TAccumulator>), typeof(SquareRowTerms));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> means =
        Plain(
            typeof(GroupTotalsProgram<TStorage, TAccumulator, MeanTotal>),
            typeof(GroupMeans<TElement, TStorage, TAccumulator>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> deviations =
        Plain(
            typeof(GroupTotalsProgram<TStorage, TAccumulator, DeviationTotal>),
            typeof(GroupDeviations<TElement, TStorage, TAccumulator>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> groupForward =
        Simd(
            typeof(GroupNormProgram<,,,,>),
            typeof(FeatureNormForward<TElement, TStorage, TAccumulator>), typeof(NormForward));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> rowGradients =
        Simd(
            typeof(FeatureRowSumsProgram<,,,,>),
            typeof(RowGradientSums<TElement, TStorage, TAccumulator>), typeof(GradientRowTerms));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> parameterGradients =
        Plain(
            typeof(FeatureNormParameterProgram<TStorage, TAccumulator>),
            typeof(FeatureNormParameterGradients<TStorage, TAccumulator>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> gradientMeans =
        Plain(
            typeof(GroupTotalsProgram<TStorage, TAccumulator, GradientTotal>),
            typeof(GroupGradientMeans<TElement, TStorage, TAccumulator>));

    private readonly VariantTable<FeatureNormParameters<TStorage, TAccumulator>> groupBackward =
        Simd(
            typeof(GroupNormProgram<,,,,>),
            typeof(GroupNormBackward<TElement, TStorage, TAccumulator>), typeof(NormBackward));

    public override void LayerForward(
        Tensor weight, Tensor bias, double epsilon, Tensor input, Tensor output, Tensor statistics)
    {
        var parameters = Parameters(1, weight, input) with
        {
            Result = output.Map<TStorage>(),
            Bias = bias.Elements<TAccumulator>(),
            Statistics = statistics.Map<TAccumulator>(),
            Epsilon = TAccumulator.CreateTruncating(epsilon),
        };
        if (!input.Device.RunsVectorPrograms)
            pixelMoments.Launch(input.Device, in parameters);
        layerForward.Launch(input.Device, in parameters);
    }

    public override void GroupForward(
        int groups, Tensor weight, Tensor bias, double epsilon, Tensor input, Tensor output, Tensor statistics)
    {
        var device = input.Device;
        using var rows = RowSumsOf(input);
        var parameters = Parameters(groups, weight, input) with
        {
            Result = output.Map<TStorage>(),
            Bias = bias.Elements<TAccumulator>(),
            Statistics = OfImages(statistics),
            RowSums = rows.Map<TAccumulator>(),
            Epsilon = TAccumulator.CreateTruncating(epsilon),
        };
        rowSums.Launch(device, in parameters);
        means.Launch(device, in parameters);
        rowSquares.Launch(device, in parameters);
        deviations.Launch(device, in parameters);
        groupForward.Launch(device, in parameters);
    }

    public override void LayerNormBackward(
        Tensor weight, Tensor input, Tensor gradient, Tensor statistics, Tensor gradInput, bool accumulate)
    {
        var parameters = new LayerNormBackwardParameters<TStorage, TAccumulator>
        {
            Extent = Extent(input.Shape),
            Gradient = gradient.Map<TStorage>(),
            Input = input.Map<TStorage>(),
            Statistics = statistics.Map<TAccumulator>(),
            NormWeight = weight.Elements<TAccumulator>(),
            Result = gradInput.Map<TStorage>(),
            Accumulate = accumulate ? 1 : 0,
        };
        layerNorms[KernelVariant.Choose(input.Device)].Launch(input.Device.Launcher, in parameters);
    }

    public override void Backward(
        int groups,
        Tensor weight,
        Tensor input,
        Tensor gradient,
        Tensor statistics,
        Tensor gradWeight,
        Tensor gradBias,
        Tensor gradInput,
        bool accumulate)
    {
        var device = input.Device;
        using var rows = RowSumsOf(input);
        using var groupMeans = Tensor<TAccumulator>.Create(
            device, new TensorShape(input.Shape.Batch, 2 * Math.Max(1, groups), 1, 1));
        var parameters = Parameters(Math.Max(1, groups), weight, input) with
        {
            Gradient = gradient.Map<TStorage>(),
            Result = gradInput.Map<TStorage>(),
            Statistics = groups == 0 ? statistics.Map<TAccumulator>() : OfImages(statistics),
            RowSums = rows.Map<TAccumulator>(),
            GradientMeans = groupMeans.Map<TAccumulator>(),
            GradWeight = gradWeight.Elements<TAccumulator>(),
            GradBias = gradBias.Elements<TAccumulator>(),
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

    private static VariantTable<FeatureNormParameters<TStorage, TAccumulator>> Simd(
        Type tiles, Type program, params Type[] choices) => new(variant => variant.VectorBits > 0
            ? KernelVariants.Tiles<FeatureNormParameters<TStorage, TAccumulator>>(
                tiles, [.. KernelVariants.SimdArguments<TElement, TStorage, TAccumulator>(variant), .. choices])
            : KernelVariants.Group<FeatureNormParameters<TStorage, TAccumulator>>(
                typeof(MapKernel<,>), program, typeof(FeatureNormParameters<TStorage, TAccumulator>)));

    // Programs that add up too little to need vectors.
    private static VariantTable<FeatureNormParameters<TStorage, TAccumulator>> Plain(Type tiles, Type program) =>
        new(variant => variant.VectorBits > 0
            ? KernelVariants.Tiles<FeatureNormParameters<TStorage, TAccumulator>>(tiles)
            : KernelVariants.Group<FeatureNormParameters<TStorage, TAccumulator>>(
                typeof(MapKernel<,>), program, typeof(FeatureNormParameters<TStorage, TAccumulator>)));

    private static PointwiseExtent Extent(TensorShape shape) => new()
    {
        Batch = shape.Batch,
        Height = shape.Height,
        Width = shape.Width,
        InputChannels = shape.Channels,
        OutputChannels = shape.Channels,
    };

    // Views that a step does not touch are still views of the device.
    private static FeatureNormParameters<TStorage, TAccumulator> Parameters(int groups, Tensor weight, Tensor input)
    {
        var map = input.Map<TStorage>();
        var vector = weight.Elements<TAccumulator>();
        var wide = new MapView<TAccumulator> { Data = vector };
        return new FeatureNormParameters<TStorage, TAccumulator>
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

    private static Tensor<TAccumulator> RowSumsOf(Tensor input) => Tensor<TAccumulator>.Create(
        input.Device, new TensorShape(input.Shape.Batch, 2 * input.Shape.Channels, input.Shape.Height, 1));

    // The statistics of an image serve all of its pixels.
    private static MapView<TAccumulator> OfImages(Tensor statistics)
    {
        var map = statistics.Map<TAccumulator>();
        map.RowStride = 0;
        map.ColumnStride = 0;
        return map;
    }
}

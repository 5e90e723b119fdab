using System.Numerics;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>
/// The steps of image encoders beside convolution and GroupNorm, on maps of one element type; callers check arguments.
/// </summary>
internal abstract class EncodingKernels
{
    private static readonly KernelsByElement<EncodingKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static EncodingKernels For(FeatureMap map) => Known.For(map);

    /// <summary>x·sigmoid(x).</summary>
    public abstract void Activate(FeatureMap input, FeatureMap output);

    /// <summary>The gradient of the input of <see cref="Activate"/>.</summary>
    public abstract void ActivateBackward(FeatureMap input, FeatureMap gradOutput, FeatureMap gradInput);

    /// <summary>Average pooling to the size of the output.</summary>
    public abstract void Pool(FeatureMap input, FeatureMap output);

    /// <summary>The gradient of the input of <see cref="Pool"/>.</summary>
    public abstract void PoolBackward(FeatureMap gradOutput, FeatureMap gradInput);

    /// <summary>Copies a map and mirrors it into a border.</summary>
    public abstract void Mirror(int border, FeatureMap input, FeatureMap output);

    /// <summary>The gradient of the input of <see cref="Mirror"/>.</summary>
    public abstract void MirrorBackward(int border, FeatureMap gradOutput, FeatureMap gradInput);

    /// <summary>Rotary positions with fixed periods, [1, D/4, 1, 1], or with learned angles, [2, D, 1, 1].</summary>
    public abstract void Rotate(bool isLearned, int headChannels, FeatureMap frequencies, FeatureMap input, FeatureMap output);

    /// <summary>The gradient of the input of rotary positions, and of learned angles, which are of one head.</summary>
    public abstract void RotateBackward(
        int headChannels, FeatureMap frequencies, FeatureMap input, FeatureMap gradOutput, FeatureMap gradInput, FeatureMap? gradAngles);

    /// <summary>
    /// Divides every pixel by a norm of its channels, the Euclidean one or with a weight the root mean square; the statistics
    /// are [B, 2, H, W].
    /// </summary>
    public abstract void Normalise(
        FeatureMap? weight, double epsilon, FeatureMap input, FeatureMap output, FeatureMap statistics);

    /// <summary>The gradients of input and weight of <see cref="Normalise"/>.</summary>
    public abstract void NormaliseBackward(
        FeatureMap? weight, FeatureMap input, FeatureMap statistics, FeatureMap gradOutput, FeatureMap gradInput, FeatureMap? gradWeight);

    /// <summary>Feature unification of a map with kernels, [O, 1, K, K], on devices that run vector programs.</summary>
    public abstract void UnifyInOnePass(FeatureMap basis, FeatureMap input, FeatureMap output);

    /// <summary>The patches of an image, [C, K², H, W].</summary>
    public abstract void Patch(int window, FeatureMap image, FeatureMap patches);

    /// <summary>The gradient of the image of <see cref="Patch"/>.</summary>
    public abstract void PatchBackward(int window, FeatureMap gradPatches, FeatureMap gradImage);

    /// <summary>The mean over channels of the softmax over kernels of responses, [C, O, H, W] to [1, O, H, W].</summary>
    public abstract void Unify(FeatureMap responses, FeatureMap output);

    /// <summary>The gradient of the responses of <see cref="Unify"/>.</summary>
    public abstract void UnifyBackward(FeatureMap responses, FeatureMap gradOutput, FeatureMap gradResponses);

    private readonly struct Factory : IKernelFactory<EncodingKernels>
    {
        EncodingKernels IKernelFactory<EncodingKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new EncodingKernels<TElement, TStorage, TReal>(arithmetic);
    }
}

/// <summary>The steps of image encoders with the element type's accumulator.</summary>
internal sealed class EncodingKernels<TElement, TStorage, TReal>(
    ElementArithmetic<TStorage, TReal> arithmetic) : EncodingKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<PointwiseParameters<TStorage>> silu = arithmetic.Table(
        new SiluTiles<SiluOutput>(), new MapKernelOf<PointwiseParameters<TStorage>, SiluForward<TElement, TStorage, TReal>>());

    private readonly VariantTable<PointwiseParameters<TStorage>> siluBackward = arithmetic.Table(
        new SiluTiles<SiluGradient>(), new MapKernelOf<PointwiseParameters<TStorage>, SiluBackward<TElement, TStorage, TReal>>());

    private readonly VariantTable<PoolingParameters<TStorage>> pool = arithmetic.Table(
        new PoolingTiles(), new MapKernelOf<PoolingParameters<TStorage>, AveragePoolingForward<TElement, TStorage, TReal>>());

    private readonly VariantTable<PoolingParameters<TStorage>> poolAdjoint = arithmetic.Table(
        new PoolingAdjointTiles(), new MapKernelOf<PoolingParameters<TStorage>, AveragePoolingAdjoint<TElement, TStorage, TReal>>());

    private readonly VariantTable<PaddingParameters<TStorage>> mirror = arithmetic.Table(
        new MirrorTiles<MirrorOutput>(), new MapKernelOf<PaddingParameters<TStorage>, MirrorPaddingForward<TElement, TStorage, TReal>>());

    private readonly VariantTable<PaddingParameters<TStorage>> mirrorAdjoint = arithmetic.Table(
        new MirrorTiles<MirrorGradient>(), new MapKernelOf<PaddingParameters<TStorage>, MirrorPaddingAdjoint<TElement, TStorage, TReal>>());

    private readonly VariantTable<RotaryParameters<TStorage, TReal>> periodic = arithmetic.Table(
        new RotaryTiles<PeriodicAngle, RotaryOutput>(), new MapKernelOf<RotaryParameters<TStorage, TReal>, RotaryForward<TElement, TStorage, TReal, PeriodicAngle>>());

    private readonly VariantTable<RotaryParameters<TStorage, TReal>> periodicBackward = arithmetic.Table(
        new RotaryTiles<PeriodicAngle, RotaryGradient>(), new MapKernelOf<RotaryParameters<TStorage, TReal>, RotaryBackward<TElement, TStorage, TReal, PeriodicAngle>>());

    private readonly VariantTable<RotaryParameters<TStorage, TReal>> learned = arithmetic.Table(
        new RotaryTiles<LearnedAngle, RotaryOutput>(), new MapKernelOf<RotaryParameters<TStorage, TReal>, RotaryForward<TElement, TStorage, TReal, LearnedAngle>>());

    private readonly VariantTable<RotaryParameters<TStorage, TReal>> learnedBackward = arithmetic.Table(
        new RotaryTiles<LearnedAngle, RotaryGradient>(), new MapKernelOf<RotaryParameters<TStorage, TReal>, RotaryBackward<TElement, TStorage, TReal, LearnedAngle>>());

    private readonly VariantTable<RotaryParameters<TStorage, TReal>> angleSums =
        MapPrograms.Table<RotaryParameters<TStorage, TReal>, RotaryAngleSums<TElement, TStorage, TReal, LearnedAngle>>();

    private readonly VariantTable<RowTotalParameters<TReal>> totals =
        MapPrograms.Table<RowTotalParameters<TReal>, RowTotals<TReal>>();

    private readonly VariantTable<PixelNormParameters<TStorage, TReal>> rootMeanSquares = arithmetic.Table(
        new PixelNormTiles<RootMeanSquare>(), new MapKernelOf<PixelNormParameters<TStorage, TReal>, PixelNormStatistics<TElement, TStorage, TReal, RootMeanSquare>>());

    private readonly VariantTable<PixelNormParameters<TStorage, TReal>> euclideanNorms = arithmetic.Table(
        new PixelNormTiles<EuclideanNorm>(), new MapKernelOf<PixelNormParameters<TStorage, TReal>, PixelNormStatistics<TElement, TStorage, TReal, EuclideanNorm>>());

    private readonly VariantTable<PixelNormParameters<TStorage, TReal>> pixelNorm =
        MapPrograms.Table<PixelNormParameters<TStorage, TReal>, PixelNormForward<TElement, TStorage, TReal>>();

    private readonly VariantTable<PixelNormParameters<TStorage, TReal>> pixelProducts =
        MapPrograms.Table<PixelNormParameters<TStorage, TReal>, PixelNormProducts<TElement, TStorage, TReal>>();

    private readonly VariantTable<PixelNormParameters<TStorage, TReal>> pixelNormBackward = arithmetic.Table(
        new PixelNormGradientTiles(), new MapKernelOf<PixelNormParameters<TStorage, TReal>, PixelNormBackward<TElement, TStorage, TReal>>());

    private readonly VariantTable<PixelNormParameters<TStorage, TReal>> weightSums =
        MapPrograms.Table<PixelNormParameters<TStorage, TReal>, PixelNormWeightSums<TElement, TStorage, TReal>>();

    private readonly VariantTable<PatchParameters<TStorage>> patch =
        MapPrograms.Table<PatchParameters<TStorage>, Patches<TElement, TStorage, TReal>>();

    private readonly VariantTable<PatchParameters<TStorage>> patchAdjoint =
        MapPrograms.Table<PatchParameters<TStorage>, PatchesAdjoint<TElement, TStorage, TReal>>();

    private readonly VariantTable<UnificationParameters<TStorage, TReal>> normalisers = MapPrograms.Table<
        UnificationParameters<TStorage, TReal>, UnificationNormalisers<TElement, TStorage, TReal>>();

    private readonly VariantTable<UnificationParameters<TStorage, TReal>> unify =
        MapPrograms.Table<UnificationParameters<TStorage, TReal>, UnificationForward<TElement, TStorage, TReal>>();

    private readonly VariantTable<UnificationParameters<TStorage, TReal>> unificationMeans =
        MapPrograms.Table<UnificationParameters<TStorage, TReal>, UnificationMeans<TElement, TStorage, TReal>>();

    private readonly VariantTable<UnificationParameters<TStorage, TReal>> unifyBackward = arithmetic.Table(
        new UnificationGradientTiles(), new MapKernelOf<UnificationParameters<TStorage, TReal>, UnificationBackward<TElement, TStorage, TReal>>());

    private readonly VariantTable<FeatureUnificationParameters<TStorage, TReal>> unifyInOnePass =
        arithmetic.Table(new UnificationTiles());

    public override void Activate(FeatureMap input, FeatureMap output) =>
        silu.Launch(input.Device, Pointwise(input, input, output));

    public override void ActivateBackward(FeatureMap input, FeatureMap gradOutput, FeatureMap gradInput) =>
        siluBackward.Launch(input.Device, Pointwise(input, gradOutput, gradInput));

    public override void Pool(FeatureMap input, FeatureMap output) =>
        pool.Launch(input.Device, PoolingOf(input.Shape, output.Shape, input, output));

    public override void PoolBackward(FeatureMap gradOutput, FeatureMap gradInput) =>
        poolAdjoint.Launch(gradOutput.Device, PoolingOf(gradInput.Shape, gradOutput.Shape, gradOutput, gradInput));

    public override void Mirror(int border, FeatureMap input, FeatureMap output) =>
        mirror.Launch(input.Device, PaddingOf(border, input.Shape, input, output));

    public override void MirrorBackward(int border, FeatureMap gradOutput, FeatureMap gradInput) =>
        mirrorAdjoint.Launch(gradOutput.Device, PaddingOf(border, gradInput.Shape, gradOutput, gradInput));

    public override void Rotate(
        bool isLearned, int headChannels, FeatureMap frequencies, FeatureMap input, FeatureMap output) =>
        (isLearned ? learned : periodic).Launch(
            input.Device, RotaryOf(headChannels, frequencies, input, input, output, frequencies));

    public override void RotateBackward(
        int headChannels,
        FeatureMap frequencies,
        FeatureMap input,
        FeatureMap gradOutput,
        FeatureMap gradInput,
        FeatureMap? gradAngles)
    {
        var shape = input.Shape;
        if (gradAngles is null)
        {
            periodicBackward.Launch(
                input.Device, RotaryOf(headChannels, frequencies, input, gradOutput, gradInput, frequencies));
            return;
        }
        using var sums = Real(input, new MapShape(shape.Batch, 2 * shape.Channels, shape.Height, 1));
        var parameters = RotaryOf(headChannels, frequencies, input, gradOutput, gradInput, sums);
        learnedBackward.Launch(input.Device, in parameters);
        angleSums.Launch(input.Device, in parameters);
        Total(sums, gradAngles);
    }

    public override void Normalise(
        FeatureMap? weight, double epsilon, FeatureMap input, FeatureMap output, FeatureMap statistics)
    {
        var parameters = NormOf(weight, input, input, output, statistics, statistics, statistics) with
        {
            Epsilon = TReal.CreateChecked(epsilon),
        };
        (weight is null ? euclideanNorms : rootMeanSquares).Launch(input.Device, in parameters);

        // On the CPU statistics and output are one step.
        if (!input.Device.RunsVectorPrograms)
            pixelNorm.Launch(input.Device, in parameters);
    }

    public override void NormaliseBackward(
        FeatureMap? weight,
        FeatureMap input,
        FeatureMap statistics,
        FeatureMap gradOutput,
        FeatureMap gradInput,
        FeatureMap? gradWeight)
    {
        var shape = input.Shape;
        using var products = Real(input, new MapShape(shape.Batch, 1, shape.Height, shape.Width));
        using var sums = Real(input, new MapShape(shape.Batch, shape.Channels, shape.Height, 1));
        var parameters = NormOf(weight, input, gradOutput, gradInput, statistics, products, sums);

        // On the CPU these are one step.
        bool hasSteps = !input.Device.RunsVectorPrograms;
        if (hasSteps)
            pixelProducts.Launch(input.Device, in parameters);
        pixelNormBackward.Launch(input.Device, in parameters);
        if (gradWeight is null)
            return;
        if (hasSteps)
            weightSums.Launch(input.Device, in parameters);
        Total(sums, gradWeight);
    }

    public override void UnifyInOnePass(FeatureMap basis, FeatureMap input, FeatureMap output) => unifyInOnePass.Launch(
        input.Device,
        new FeatureUnificationParameters<TStorage, TReal>
        {
            Extent = new PointwiseExtent
            {
                Batch = input.Shape.Batch,
                Height = input.Shape.Height,
                Width = input.Shape.Width,
                InputChannels = input.Shape.Channels,
                OutputChannels = output.Shape.Channels,
            },
            Window = basis.Shape.Height,
            Basis = basis.Map<TReal>(),
            Input = input.Map<TStorage>(),
            Output = output.Map<TStorage>(),
        });

    public override void Patch(int window, FeatureMap image, FeatureMap patches) =>
        patch.Launch(image.Device, Patching(window, image, patches));

    public override void PatchBackward(int window, FeatureMap gradPatches, FeatureMap gradImage) =>
        patchAdjoint.Launch(gradImage.Device, Patching(window, gradImage, gradPatches));

    public override void Unify(FeatureMap responses, FeatureMap output)
    {
        using var sums = Real(output, OfChannels(responses));
        var parameters = Unification(responses, sums, sums, output, output);
        normalisers.Launch(output.Device, in parameters);
        unify.Launch(output.Device, in parameters);
    }

    public override void UnifyBackward(FeatureMap responses, FeatureMap gradOutput, FeatureMap gradResponses)
    {
        using var sums = Real(gradOutput, OfChannels(responses));
        using var means = Real(gradOutput, OfChannels(responses));
        var parameters = Unification(responses, sums, means, gradOutput, gradResponses);

        // On the CPU these are one step.
        if (!gradOutput.Device.RunsVectorPrograms)
        {
            normalisers.Launch(gradOutput.Device, in parameters);
            unificationMeans.Launch(gradOutput.Device, in parameters);
        }
        unifyBackward.Launch(gradOutput.Device, in parameters);
    }

    private static MapShape OfChannels(FeatureMap responses) =>
        new(1, responses.Shape.Batch, responses.Shape.Height, responses.Shape.Width);

    private static FeatureMap Real(FeatureMap like, MapShape shape) =>
        FeatureMap.Create(like.Device, shape, like.Format, like.ElementType.Accumulator());

    private void Total(FeatureMap sums, FeatureMap result) => totals.Launch(sums.Device, new RowTotalParameters<TReal>
    {
        Batch = sums.Shape.Batch,
        Channels = sums.Shape.Channels,
        Height = sums.Shape.Height,
        ResultChannels = result.Shape.Channels,
        Sums = sums.Map<TReal>(),
        Result = result.Map<TReal>(),
    });

    private static PointwiseParameters<TStorage> Pointwise(FeatureMap input, FeatureMap gradient, FeatureMap result) => new()
    {
        Batch = input.Shape.Batch,
        Channels = input.Shape.Channels,
        Height = input.Shape.Height,
        Width = input.Shape.Width,
        Input = input.Map<TStorage>(),
        Gradient = gradient.Map<TStorage>(),
        Result = result.Map<TStorage>(),
    };

    private static PoolingParameters<TStorage> PoolingOf(
        MapShape input, MapShape output, FeatureMap source, FeatureMap result) => new()
        {
            Batch = input.Batch,
            Channels = input.Channels,
            Height = input.Height,
            Width = input.Width,
            OutputHeight = output.Height,
            OutputWidth = output.Width,
            Source = source.Map<TStorage>(),
            Result = result.Map<TStorage>(),
        };

    private static PaddingParameters<TStorage> PaddingOf(
        int border, MapShape shape, FeatureMap source, FeatureMap result) => new()
        {
            Batch = shape.Batch,
            Channels = shape.Channels,
            Height = shape.Height,
            Width = shape.Width,
            Border = border,
            Source = source.Map<TStorage>(),
            Result = result.Map<TStorage>(),
        };

    // Views that a step does not touch are still views of the device, here and below.
    private static RotaryParameters<TStorage, TReal> RotaryOf(
        int headChannels,
        FeatureMap frequencies,
        FeatureMap input,
        FeatureMap gradient,
        FeatureMap result,
        FeatureMap sums) => new()
        {
            Batch = input.Shape.Batch,
            Channels = input.Shape.Channels,
            Height = input.Shape.Height,
            Width = input.Shape.Width,
            HeadChannels = headChannels,
            Frequencies = frequencies.Map<TReal>(),
            Input = input.Map<TStorage>(),
            Gradient = gradient.Map<TStorage>(),
            Result = result.Map<TStorage>(),
            Sums = sums.Map<TReal>(),
        };

    private static PixelNormParameters<TStorage, TReal> NormOf(
        FeatureMap? weight,
        FeatureMap input,
        FeatureMap gradient,
        FeatureMap result,
        FeatureMap statistics,
        FeatureMap products,
        FeatureMap sums) => new()
        {
            Batch = input.Shape.Batch,
            Channels = input.Shape.Channels,
            Height = input.Shape.Height,
            Width = input.Shape.Width,
            HasWeight = weight is null ? 0 : 1,
            Weight = (weight ?? statistics).Map<TReal>(),
            Input = input.Map<TStorage>(),
            Gradient = gradient.Map<TStorage>(),
            Result = result.Map<TStorage>(),
            Statistics = statistics.Map<TReal>(),
            Products = products.Map<TReal>(),
            Sums = sums.Map<TReal>(),
        };

    private static PatchParameters<TStorage> Patching(int window, FeatureMap image, FeatureMap patches) => new()
    {
        Channels = image.Shape.Channels,
        Height = image.Shape.Height,
        Width = image.Shape.Width,
        Window = window,
        Image = image.Map<TStorage>(),
        Patches = patches.Map<TStorage>(),
    };

    private static UnificationParameters<TStorage, TReal> Unification(
        FeatureMap responses, FeatureMap normalisers, FeatureMap means, FeatureMap gradient, FeatureMap result) => new()
        {
            Channels = responses.Shape.Batch,
            Kernels = responses.Shape.Channels,
            Height = responses.Shape.Height,
            Width = responses.Shape.Width,
            Responses = responses.Map<TStorage>(),
            Normalisers = normalisers.Map<TReal>(),
            Means = means.Map<TReal>(),
            Gradient = gradient.Map<TStorage>(),
            Result = result.Map<TStorage>(),
        };

    private sealed class SiluTiles<TStep> : OpenTiles<TStorage, TReal, PointwiseParameters<TStorage>>
        where TStep : struct, ISiluStep
    {
        public override ILaunchable<PointwiseParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<SiluProgram<TSimd, TStorage, TReal, TVector, TStep>, PointwiseParameters<TStorage>>();
    }

    private sealed class PoolingTiles : OpenTiles<TStorage, TReal, PoolingParameters<TStorage>>
    {
        public override ILaunchable<PoolingParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<AveragePoolingProgram<TSimd, TStorage, TReal, TVector>, PoolingParameters<TStorage>>();
    }

    private sealed class RotaryTiles<TAngle, TDirection> : OpenTiles<TStorage, TReal, RotaryParameters<TStorage, TReal>>
        where TAngle : struct, IRotaryAngle
        where TDirection : struct, IRotaryDirection
    {
        public override ILaunchable<RotaryParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<RotaryProgram<TSimd, TElement, TStorage, TReal, TVector, TAngle, TDirection>, RotaryParameters<TStorage, TReal>>();
    }

    private sealed class PixelNormTiles<TRule> : OpenTiles<TStorage, TReal, PixelNormParameters<TStorage, TReal>>
        where TRule : struct, IPixelNormRule
    {
        public override ILaunchable<PixelNormParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<PixelNormProgram<TSimd, TStorage, TReal, TVector, TRule>, PixelNormParameters<TStorage, TReal>>();
    }

    private sealed class UnificationTiles : OpenTiles<TStorage, TReal, FeatureUnificationParameters<TStorage, TReal>>
    {
        public override ILaunchable<FeatureUnificationParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<UnificationProgram<TSimd, TStorage, TReal, TVector>, FeatureUnificationParameters<TStorage, TReal>>();
    }

    private sealed class MirrorTiles<TStep> : OpenTiles<TStorage, TReal, PaddingParameters<TStorage>>
        where TStep : struct, IMirrorStep
    {
        public override ILaunchable<PaddingParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<MirrorPaddingProgram<TSimd, TStorage, TReal, TVector, TStep>, PaddingParameters<TStorage>>();
    }

    private sealed class PoolingAdjointTiles : OpenTiles<TStorage, TReal, PoolingParameters<TStorage>>
    {
        public override ILaunchable<PoolingParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<AveragePoolingAdjointProgram<TSimd, TStorage, TReal, TVector>, PoolingParameters<TStorage>>();
    }

    private sealed class PixelNormGradientTiles : OpenTiles<TStorage, TReal, PixelNormParameters<TStorage, TReal>>
    {
        public override ILaunchable<PixelNormParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<PixelNormGradientProgram<TSimd, TStorage, TReal, TVector>, PixelNormParameters<TStorage, TReal>>();
    }

    private sealed class UnificationGradientTiles : OpenTiles<TStorage, TReal, UnificationParameters<TStorage, TReal>>
    {
        public override ILaunchable<UnificationParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<UnificationGradientProgram<TSimd, TStorage, TReal, TVector>, UnificationParameters<TStorage, TReal>>();
    }
}

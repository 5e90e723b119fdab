using System.Numerics;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>
/// Turns scores into weights as a separate step, on maps of one element type; callers check arguments.
/// </summary>
internal abstract class WindowWeightsKernels
{
    private static readonly KernelsByElement<WindowWeightsKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static WindowWeightsKernels For(FeatureMap map) => Known.For(map);

    /// <summary>The weights of every head.</summary>
    public abstract void Forward(in WeightsProblem problem, FeatureMap scores, FeatureMap weights);

    /// <summary>The gradient of the scores, from that of the weights or of their mean over the heads.</summary>
    public abstract void Backward(
        in WeightsProblem problem, FeatureMap scores, FeatureMap gradWeights, FeatureMap gradScores);

    /// <summary>The mean of the weights of all heads.</summary>
    public abstract void Average(in WeightsProblem problem, FeatureMap weights, FeatureMap mean);

    private readonly struct Factory : IKernelFactory<WindowWeightsKernels>
    {
        WindowWeightsKernels IKernelFactory<WindowWeightsKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new WindowWeightsKernels<TElement, TStorage, TReal>(arithmetic);
    }
}

/// <summary>The problem of turning scores into weights.</summary>
/// <param name="Extent">The extent of the maps; only a masked border uses window and decoder map.</param>
/// <param name="Heads">The heads.</param>
/// <param name="Taps">The taps of a head.</param>
/// <param name="Normalisation">How scores become weights.</param>
/// <param name="Border">How taps outside the decoder map are treated.</param>
/// <param name="Averaged">Whether weights are averaged over the heads.</param>
internal readonly record struct WeightsProblem(
    WindowExtent Extent, int Heads, int Taps, ScoreNormalisation Normalisation, BorderRule Border =
        BorderRule.ZeroLogit, bool Averaged = false);

/// <summary>The weights with the element type's accumulator.</summary>
internal sealed class WindowWeightsKernels<TElement, TStorage, TReal>(
    ElementArithmetic<TStorage, TReal> arithmetic) : WindowWeightsKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<WindowWeightsParameters<TStorage, TStorage>> forward =
        arithmetic.Table(new WeightTiles<NormForward>(), new ForwardKernel(), OrLeftIn);

    private readonly VariantTable<WindowWeightsParameters<TStorage, TStorage>> backward =
        arithmetic.Table(new WeightTiles<NormBackward>(), new BackwardKernel(), OrLeftIn);

    private readonly VariantTable<WindowWeightsParameters<TStorage, TStorage>> mean = arithmetic.Table(
        new MeanTiles(), new MapKernelOf<WindowWeightsParameters<TStorage, TStorage>, HeadMean<TElement, TStorage, TReal>>());

    public override void Forward(in WeightsProblem problem, FeatureMap scores, FeatureMap weights) =>
        Launch(forward, in problem, scores, scores, weights);

    public override void Backward(
        in WeightsProblem problem, FeatureMap scores, FeatureMap gradWeights, FeatureMap gradScores) =>
        Launch(backward, in problem, scores, gradWeights, gradScores);

    public override void Average(in WeightsProblem problem, FeatureMap weights, FeatureMap mean) =>
        this.mean.Launch(weights.Device, Parameters(in problem, weights, weights, mean));

    // Only a masked border changes the weights: with all others, taps outside take part in the normalisation.
    private static KernelVariant OrLeftIn(KernelVariant variant) => variant with
    {
        Border = variant.Border == BorderRule.Masked ? BorderRule.Masked : BorderRule.ZeroLogit,
    };

    private static void Launch(
        VariantTable<WindowWeightsParameters<TStorage, TStorage>> table,
        in WeightsProblem problem,
        FeatureMap source,
        FeatureMap gradient,
        FeatureMap result)
    {
        var variant = KernelVariant.Choose(source.Device) with
        {
            Normalisation = problem.Normalisation,
            Border = problem.Border,
        };
        table[variant].Launch(source.Device.Launcher, Parameters(in problem, source, gradient, result));
    }

    private static WindowWeightsParameters<TStorage, TStorage> Parameters(
        in WeightsProblem problem, FeatureMap source, FeatureMap gradient, FeatureMap result) => new()
        {
            Extent = problem.Extent,
            Heads = problem.Heads,
            Taps = problem.Taps,
            Averaged = problem.Averaged ? 1 : 0,
            Source = source.Map<TStorage>(),
            Gradient = gradient.Map<TStorage>(),
            Result = result.Map<TStorage>(),
        };

    private sealed class WeightTiles<TDirection> : OpenTiles<TStorage, TReal, WindowWeightsParameters<TStorage, TStorage>>
        where TDirection : struct, INormDirection
    {
        public override ILaunchable<WindowWeightsParameters<TStorage, TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<WindowWeightsProgram<TSimd, TStorage, TReal, TVector, TBorder, TNormalisation, TDirection>, WindowWeightsParameters<TStorage, TStorage>>();
    }

    private sealed class ForwardKernel : OpenKernel<WindowWeightsParameters<TStorage, TStorage>>
    {
        public override ILaunchable<WindowWeightsParameters<TStorage, TStorage>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                MapKernel<WindowWeightsForward<TElement, TStorage, TReal, TBorder, TNormalisation>, WindowWeightsParameters<TStorage, TStorage>>,
                WindowWeightsParameters<TStorage, TStorage>>();
    }

    private sealed class BackwardKernel : OpenKernel<WindowWeightsParameters<TStorage, TStorage>>
    {
        public override ILaunchable<WindowWeightsParameters<TStorage, TStorage>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                MapKernel<WindowWeightsBackward<TElement, TStorage, TReal, TBorder, TNormalisation>, WindowWeightsParameters<TStorage, TStorage>>,
                WindowWeightsParameters<TStorage, TStorage>>();
    }

    private sealed class MeanTiles : OpenTiles<TStorage, TReal, WindowWeightsParameters<TStorage, TStorage>>
    {
        public override ILaunchable<WindowWeightsParameters<TStorage, TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                HeadMeanProgram<TSimd, TStorage, TReal, TVector>,
                WindowWeightsParameters<TStorage, TStorage>>();
    }
}

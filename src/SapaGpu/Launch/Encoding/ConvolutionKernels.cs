using System.Numerics;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;

namespace SapaGpu.Launch;

/// <summary>Convolutions in one pass on the CPU, on maps of one element type; callers check arguments.</summary>
internal abstract class ConvolutionKernels
{
    private static readonly KernelsByElement<ConvolutionKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static ConvolutionKernels For(FeatureMap map) => Known.For(map);

    /// <summary>output = initial + bias + the convolution of the input, normalised and activated before.</summary>
    public abstract void Forward(
        in ConvolutionWeights weights, in NormSiluOperands? activation, FeatureMap input, FeatureMap? initial, FeatureMap output);

    /// <summary>
    /// The gradient of the input, written; where the border is mirrored, that of the input with its border, which is wider by
    /// half a kernel on every side.
    /// </summary>
    public abstract void Backward(in ConvolutionWeights weights, FeatureMap gradOutput, FeatureMap gradInput);

    private readonly struct Factory : IKernelFactory<ConvolutionKernels>
    {
        ConvolutionKernels IKernelFactory<ConvolutionKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new ConvolutionKernels<TElement, TStorage, TReal>(arithmetic);
    }
}

/// <summary>Convolutions with the element type's accumulator.</summary>
internal sealed class ConvolutionKernels<TElement, TStorage, TReal>(
    ElementArithmetic<TStorage, TReal> arithmetic) : ConvolutionKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<ConvolutionParameters<TStorage, TReal>> convolutions = arithmetic.Table(new Tiles());

    public override void Forward(
        in ConvolutionWeights weights, in NormSiluOperands? activation, FeatureMap input, FeatureMap? initial, FeatureMap output)
    {
        var layout = weights.Weight.Layout;
        var weight = weights.Weight.Elements<TReal>();
        var parameters = Parameters(in weights, input, output) with
        {
            Offset = weights.Kernel / 2 * weights.Dilation,
            Mirrors = weights.Mirrors ? 1 : 0,
            HasBias = weights.Bias is null ? 0 : 1,
            HasInitial = initial is null ? 0 : 1,
            Initial = (initial ?? output).Map<TStorage>(),
            WeightOutputStride = layout.BatchStride,
            WeightInputStride = layout.ChannelStride,
            WeightRowStride = layout.RowStride,
            WeightColumnStride = layout.ColumnStride,
            Bias = weights.Bias?.Elements<TReal>() ?? weight,
        };
        if (activation is { } before)
        {
            parameters.Activates = 1;
            parameters.Groups = before.Groups;
            parameters.Statistics = before.Statistics.Map<TReal>();
            parameters.NormWeight = before.Weight.Elements<TReal>();
            parameters.NormBias = before.Bias.Elements<TReal>();
        }
        convolutions.Launch(input.Device, in parameters);
    }

    public override void Backward(in ConvolutionWeights weights, FeatureMap gradOutput, FeatureMap gradInput)
    {
        // The adjoint is a convolution with the kernel turned round and both sides exchanged.
        var layout = weights.Weight.Layout;
        int last = weights.Kernel - 1;
        int reach = last * weights.Dilation;
        convolutions.Launch(gradOutput.Device, Parameters(in weights, gradOutput, gradInput) with
        {
            Offset = weights.Mirrors ? reach : reach - weights.Kernel / 2 * weights.Dilation,
            WeightOrigin = last * (layout.RowStride + layout.ColumnStride),
            WeightOutputStride = layout.ChannelStride,
            WeightInputStride = layout.BatchStride,
            WeightRowStride = -layout.RowStride,
            WeightColumnStride = -layout.ColumnStride,
        });
    }

    // Views that a convolution does not touch are still views of the device.
    private static ConvolutionParameters<TStorage, TReal> Parameters(
        in ConvolutionWeights weights, FeatureMap source, FeatureMap result)
    {
        var weight = weights.Weight.Elements<TReal>();
        var map = result.Map<TStorage>();
        return new ConvolutionParameters<TStorage, TReal>
        {
            Extent = new PointwiseExtent
            {
                Batch = result.Shape.Batch,
                Height = result.Shape.Height,
                Width = result.Shape.Width,
                InputChannels = source.Shape.Channels,
                OutputChannels = result.Shape.Channels,
            },
            InputHeight = source.Shape.Height,
            InputWidth = source.Shape.Width,
            Kernel = weights.Kernel,
            Dilation = weights.Dilation,
            Groups = 1,
            Input = source.Map<TStorage>(),
            Initial = map,
            Output = map,
            Weight = weight,
            Bias = weight,
            Statistics = new MapView<TReal> { Data = weight },
            NormWeight = weight,
            NormBias = weight,
        };
    }

    private sealed class Tiles : OpenTiles<TStorage, TReal, ConvolutionParameters<TStorage, TReal>>
    {
        public override ILaunchable<ConvolutionParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<ConvolutionProgram<TSimd, TStorage, TReal, TVector>, ConvolutionParameters<TStorage, TReal>>();
    }
}

using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// Predicts the reassembly kernels of CARAFE, computed in the type of the parameters throughout: compression by a 1×1
/// convolution, content encoding by a larger one, pixel shuffle, softmax over the taps of each group.
/// </summary>
internal sealed class CarafeKernelPredictor(CarafeOptions options)
{
    private const string CompressorWeight = "channel_compressor.weight";
    private const string CompressorBias = "channel_compressor.bias";
    private const string EncoderWeight = "content_encoder.weight";
    private const string EncoderBias = "content_encoder.bias";

    private readonly Convolution encoder =
        new(EncoderWeight, EncoderBias, options.EncoderKernel, options.EncoderDilation);

    // A group is normalised like a head of window attention.
    private WindowAttentionOptions Softmax => new() { Window = options.Window, Heads = options.Groups };

    private int MaskChannels => options.Window * options.Window * options.Groups;

    private int CodeChannels => MaskChannels * options.Scale * options.Scale;

    /// <summary>Checks the options and returns the parameters in the order of a state_dict.</summary>
    public IReadOnlyList<ParameterSpec> Specs()
    {
        Check();
        // Initial values as in the reference implementation: Xavier for the compressor, deviation 0.001 for the
        // encoder.
        int kernel = options.EncoderKernel;
        double xavier = Math.Sqrt(2.0 / (options.Channels + options.CompressedChannels));
        return
        [
            new(CompressorWeight, [options.CompressedChannels, options.Channels, 1, 1], Deviation: xavier),
            new(CompressorBias, [options.CompressedChannels], Constant: 0),
            new(EncoderWeight, [CodeChannels, options.CompressedChannels, kernel, kernel], Deviation: 0.001),
            new(EncoderBias, [CodeChannels], Constant: 0),
        ];
    }

    /// <summary>Returns the features in the type of the parameters: themselves, or a widened copy.</summary>
    public static FeatureMap Widen(FeatureMap features)
    {
        if (features.ElementType == features.ElementType.Accumulator())
            return features;
        var wide = Create(features, features.Shape.Channels);
        Conversions.Widen(features, wide);
        return wide;
    }

    /// <summary>
    /// Computes the compressed features and, from them, the scores of the kernels, [B, groups·K², s·H, s·W].
    /// </summary>
    public (FeatureMap Compressed, FeatureMap Scores) Forward(ParameterSet parameters, FeatureMap wide)
    {
        var compressed = Create(wide, options.CompressedChannels);
        PointwiseProjection.Run(Compressor(parameters), wide, compressed, null);
        using var code = Create(wide, CodeChannels);
        encoder.Forward(parameters, compressed, code);
        var shape = new MapShape(
            wide.Shape.Batch, MaskChannels, wide.Shape.Height * options.Scale, wide.Shape.Width * options.Scale);
        var scores = FeatureMap.Create(wide.Device, shape, wide.Format, wide.ElementType);
        PixelShuffle.Forward(code, scores, options.Scale);
        return (compressed, scores);
    }

    /// <summary>Computes the kernels: softmax of the scores over the taps of each group.</summary>
    public FeatureMap Normalise(FeatureMap scores)
    {
        var masks = FeatureMap.Create(scores.Device, scores.Shape, scores.Format, scores.ElementType);
        WindowWeights.Run(Softmax, scores, masks);
        return masks;
    }

    /// <summary>
    /// Computes the gradients of the parameters, and adds to the gradient of the features.
    /// </summary>
    public void Backward(
        ParameterSet parameters,
        ParameterSet gradients,
        FeatureMap wide,
        FeatureMap compressed,
        FeatureMap scores,
        FeatureMap gradMasks,
        FeatureMap gradFeatures)
    {
        var elementType = wide.ElementType;
        using var gradScores = FeatureMap.Create(scores.Device, scores.Shape, scores.Format, elementType);
        using var wideGradMasks = Widened(gradMasks, elementType);
        WindowWeights.RunBackward(Softmax, scores, wideGradMasks ?? gradMasks, gradScores);
        using var gradCode = Create(wide, CodeChannels);
        PixelShuffle.Backward(gradScores, gradCode, options.Scale);
        using var gradCompressed = Create(wide, options.CompressedChannels);
        encoder.Backward(parameters, gradients, compressed, gradCode, gradCompressed);
        var compressor = Compressor(parameters);
        var gradCompressor = Compressor(gradients);
        if (gradFeatures.ElementType == elementType)
        {
            PointwiseProjection.RunBackward(
                in compressor, wide, gradCompressed, null, gradFeatures, gradCompressor, accumulate: true);
            return;
        }
        using var gradWide = Create(wide, options.Channels);
        PointwiseProjection.RunBackward(in compressor, wide, gradCompressed, null, gradWide, gradCompressor);
        using var rounded = FeatureMap.Create(
            wide.Device, gradWide.Shape, gradFeatures.Format, gradFeatures.ElementType);
        Conversions.Narrow(gradWide, rounded);
        Conversions.Add(rounded, gradFeatures);
    }

    private void Check()
    {
        OperatorSupport.CheckWindow(options.Window);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CompressedChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Groups, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EncoderDilation, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Scale, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Scale, OperatorSupport.MaximumScale);
        if (options.EncoderKernel < 1 || options.EncoderKernel % 2 == 0 || options.Channels % options.Groups != 0)
        {
            throw new ArgumentException(
                "EncoderKernel must be odd and at least 1, and Channels a multiple of Groups; got EncoderKernel " +
                $"{options.EncoderKernel}, Channels {options.Channels} and Groups {options.Groups}.",
                nameof(options));
        }
    }

    private static ProjectionWeights Compressor(ParameterSet parameters) =>
        new(parameters[CompressorWeight], parameters[CompressorBias]);

    private static FeatureMap? Widened(FeatureMap map, ElementType elementType)
    {
        if (map.ElementType == elementType)
            return null;
        var wide = FeatureMap.Create(map.Device, map.Shape, map.Format, elementType);
        Conversions.Widen(map, wide);
        return wide;
    }

    private static FeatureMap Create(FeatureMap like, int channels) => FeatureMap.Create(
        like.Device,
        new MapShape(like.Shape.Batch, channels, like.Shape.Height, like.Shape.Width),
        like.Format,
        like.ElementType.Accumulator());
}

using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// Queries and keys of AnyUp: an encoder of the image with learned positions, from which encoders of queries and keys go on; keys
/// also depend on the features, whose channels a layer for any number of them brings to a fixed one.
/// </summary>
internal sealed class AnyUpEncoder : AttentionEncoder
{
    private const int ImageChannels = 3;
    private const string Attended = "cross_decode.cross_attn";
    private const string Stacked = $"{Attended}.attention.in_proj_";
    private const string OutputWeight = $"{Attended}.attention.out_proj.weight";
    private const string OutputBias = $"{Attended}.attention.out_proj.bias";
    private readonly AnyUpOptions options;
    private readonly Layer image;
    private readonly Layer queryEncoder;
    private readonly Layer queryTail;
    private readonly Layer keyEncoder;
    private readonly Layer features;
    private readonly Layer keyTail;

    public AnyUpEncoder(AnyUpOptions options)
    {
        Check(options);
        this.options = options;
        int d = options.Channels;
        var pixels = Encoder(
            "image_encoder", new ConvolutionLayer("image_encoder.0", ImageChannels, d, options.ImageKernel, mirrors: true));
        var rotary = new LearnedRotary("rope.freqs", d);
        image = new Sequence(pixels, rotary);
        keyEncoder = Encoder("key_encoder", new ConvolutionLayer("key_encoder.0", d, d));
        queryEncoder = Encoder("query_encoder", new ConvolutionLayer("query_encoder.0", d, d));
        var unified = Encoder(
            "key_features_encoder",
            new UnificationLayer("key_features_encoder.0.basis", options.FeatureKernels, options.FeatureKernel),
            options.FeatureKernels);
        features = new Sequence(new PixelNormLayer(null, 0, epsilon: 1e-12), unified);
        var queryNorm = new PixelNormLayer($"{Attended}.norm_q.weight", d, options.RootMeanSquareEpsilon);
        var keyNorm = new PixelNormLayer($"{Attended}.norm_k.weight", d, options.RootMeanSquareEpsilon);
        var convolution = new ConvolutionLayer("cross_decode.conv2d", d, d, kernel: 3);
        var aggregation = Encoder("aggregation", new ConvolutionLayer("aggregation.0", 2 * d, d, kernel: 3, mirrors: true));
        queryTail = new Sequence(convolution, queryNorm, Projection(0));
        keyTail = new Sequence(aggregation, keyNorm, Projection(1));
        double deviation = 1 / Math.Sqrt(d);
        Specs =
        [
            .. pixels.Specs,
            .. keyEncoder.Specs,
            .. queryEncoder.Specs,
            .. unified.Specs,
            .. queryNorm.Specs,
            .. keyNorm.Specs,
            new($"{Stacked}weight", [3 * d, d], Deviation: deviation),
            new($"{Stacked}bias", [3 * d], Constant: 0),
            new(OutputWeight, [d, d], Deviation: deviation),
            new(OutputBias, [d], Constant: 0),
            .. convolution.Specs,
            .. aggregation.Specs,
            .. rotary.Specs,
        ];
        CheckParameters(Specs);
    }

    public override IReadOnlyList<ParameterSpec> Specs { get; }

    public override bool ReadsFeatures => true;

    public override IReadOnlyCollection<string> WithoutInfluence { get; } = [OutputWeight, OutputBias];

    public override CrossAttentionOptions Attention => new()
    {
        Heads = options.Heads,
        AveragesHeads = true,
        ScoreScale = 1 / Math.Sqrt((double)options.Channels / options.Heads),
    };

    public override string? Objection(MapShape image, MapShape features, MapShape output)
    {
        int least = options.ImageKernel / 2 + 1;
        if (image.Height < least || image.Width < least)
        {
            return $"the border of the image is mirrored, which takes {least} pixels on each axis for kernels of " +
                $"{options.ImageKernel}x{options.ImageKernel}";
        }
        return features.Height < 2 || features.Width < 2
            ? "the border of the features is mirrored, which takes two cells on each axis"
            : null;
    }

    public override WindowRanges Ranges(MapShape features, MapShape output) => options.WindowRatio > 0
        ? WindowRanges.Ratio(
            features.Height, features.Width, output.Height, output.Width, (float)options.WindowRatio)
        : WindowRanges.Whole(features.Height, features.Width, output.Height, output.Width);

    public override (FeatureMap Query, FeatureMap Key) Forward(
        ParameterSet parameters, FeatureMap image, FeatureMap features, MapShape output, Trace trace)
    {
        var encoded = this.image.Forward(parameters, image, trace);
        var query = Queries(output).Forward(parameters, encoded.ChannelsOf(0, encoded.Shape.Channels), trace);
        var fromImage = Keys(features.Shape).Forward(parameters, encoded, trace);
        var fromFeatures = this.features.Forward(parameters, Precision.Prepare(features), trace);
        return (query, keyTail.Forward(parameters, Concatenation.Join(fromImage, fromFeatures), trace));
    }

    public override (FeatureMap Image, FeatureMap? Features) Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradQuery, FeatureMap gradKey, Trace.Reader trace)
    {
        gradients[$"{Stacked}weight"].Clear();
        gradients[$"{Stacked}bias"].Clear();
        foreach (string name in WithoutInfluence)
            gradients[name].Clear();
        var joined = keyTail.Backward(parameters, gradients, gradKey, trace);
        var cells = joined.Shape;
        var (fromImage, fromFeatures) = Concatenation.Split(joined, options.Channels);
        var gradFeatures = features.Backward(parameters, gradients, fromFeatures, trace);
        var gradEncoded = Keys(cells).Backward(parameters, gradients, fromImage, trace);
        using (var fromQueries = Queries(gradQuery.Shape).Backward(parameters, gradients, gradQuery, trace))
            Conversions.Add(fromQueries, gradEncoded);
        return (image.Backward(parameters, gradients, gradEncoded, trace), gradFeatures);
    }

    private static void Check(AnyUpOptions options)
    {
        CheckNumbers(
            MostChannels,
            (nameof(options.Channels), options.Channels),
            (nameof(options.Heads), options.Heads),
            (nameof(options.FeatureKernels), options.FeatureKernels),
            (nameof(options.NormGroups), options.NormGroups));
        CheckNumbers(
            MostTaps,
            (nameof(options.ImageKernel), options.ImageKernel),
            (nameof(options.FeatureKernel), options.FeatureKernel));
        NormEpsilon.Check(options.Epsilon);
        NormEpsilon.Check(options.RootMeanSquareEpsilon);
        if (options.Channels % 2 != 0 || options.Channels % options.Heads != 0
            || options.Channels % options.NormGroups != 0 || options.FeatureKernels % options.NormGroups != 0)
        {
            throw new ArgumentException(
                "Channels must be even and a multiple of Heads and NormGroups, and FeatureKernels a multiple of NormGroups; got " +
                $"Channels {options.Channels}, Heads {options.Heads}, NormGroups {options.NormGroups} and FeatureKernels " +
                $"{options.FeatureKernels}.",
                nameof(options));
        }
        bool isNoRatio = double.IsNaN(options.WindowRatio) || (options.WindowRatio > 0 && (float)options.WindowRatio == 0);
        if (options.ImageKernel % 2 == 0 || options.FeatureKernel % 2 == 0 || isNoRatio)
        {
            throw new ArgumentException(
                "ImageKernel and FeatureKernel must be odd and WindowRatio a number that single precision does not round to 0; got ImageKernel " +
                $"{options.ImageKernel}, FeatureKernel {options.FeatureKernel} and WindowRatio {options.WindowRatio}.",
                nameof(options));
        }
    }

    private Sequence Encoder(string name, Layer first, int? channels = null) => new(
        first, Block($"{name}.1", channels ?? options.Channels), Block($"{name}.2", options.Channels));

    private ResidualBlock Block(string name, int input)
    {
        int output = options.Channels;
        return new ResidualBlock(
            new ActivatedConvolution(
                $"{name}.block.0", options.NormGroups, options.Epsilon, new ConvolutionLayer($"{name}.block.2", input, output)),
            new ActivatedConvolution(
                $"{name}.block.3", options.NormGroups, options.Epsilon, new ConvolutionLayer($"{name}.block.5", output, output)),
            input == output ? null : new ConvolutionLayer($"{name}.shortcut", input, output));
    }

    private StackedProjection Projection(int place) =>
        new($"{Stacked}weight", $"{Stacked}bias", options.Channels, place);

    private Sequence Queries(MapShape output) =>
        new(queryEncoder, new Pooling(output.Height, output.Width), queryTail);

    private Sequence Keys(MapShape cells) => new(keyEncoder, new Pooling(cells.Height, cells.Width));
}

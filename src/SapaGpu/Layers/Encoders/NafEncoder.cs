using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// Queries and keys of NAF: two encoders of the image, of 1×1 and of 3×3 convolutions, pooled to the size of the output and
/// turned by rotary positions; keys are queries pooled to the size of the features.
/// </summary>
internal sealed class NafEncoder : AttentionEncoder
{
    private const int ImageChannels = 3;
    private const int MostBlocks = 256;
    private readonly NafOptions options;
    private readonly Layer encoder;
    private readonly Layer rotary;

    public NafEncoder(NafOptions options)
    {
        Check(options);
        this.options = options;
        int half = options.Channels / 2;
        encoder = new Concatenation(
            Encoder("image_encoder.encoder", 1), half, Encoder("image_encoder.sem_encoder", 3), half);
        rotary = new PeriodicRotary(
            "image_encoder.rope.periods", options.Channels / options.RotaryHeads, options.RotaryBase);
        Specs = [.. encoder.Specs, .. rotary.Specs];
        CheckParameters(Specs);
    }

    public override IReadOnlyList<ParameterSpec> Specs { get; }

    public override CrossAttentionOptions Attention => new()
    {
        Heads = options.Heads,
        ScoreScale = 1 / Math.Sqrt((double)options.Channels / options.Heads),
    };

    public override string? Objection(MapShape image, MapShape features, MapShape output)
    {
        if (features.Channels % options.Heads != 0)
            return $"the features have {features.Channels} channels, no multiple of the {options.Heads} heads";
        var (height, width) = new ImageLimit(output.Height, output.Width).Of(image);
        return height < 2 || width < 2
            ? $"the image is encoded as {height}x{width} pixels, but its border is mirrored, which takes two on each axis"
            : null;
    }

    public override WindowRanges Ranges(MapShape features, MapShape output) => WindowRanges.Window(
        features.Height, features.Width, output.Height, output.Width, options.Window, options.Window, BorderRule.Shifted);

    public override (FeatureMap Query, FeatureMap Key) Forward(
        ParameterSet parameters, FeatureMap image, FeatureMap features, MapShape output, Trace trace)
    {
        var query = Queries(output).Forward(parameters, image, trace);
        var key = Keys(features.Shape).Forward(parameters, query.ChannelsOf(0, query.Shape.Channels), trace);
        return (query, key);
    }

    public override (FeatureMap Image, FeatureMap? Features) Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradQuery, FeatureMap gradKey, Trace.Reader trace)
    {
        using var fromKeys = Keys(gradKey.Shape).Backward(parameters, gradients, gradKey, trace);
        Conversions.Add(fromKeys, gradQuery);
        return (Queries(gradQuery.Shape).Backward(parameters, gradients, gradQuery, trace), null);
    }

    private static void Check(NafOptions options)
    {
        CheckNumbers(
            MostChannels,
            (nameof(options.Channels), options.Channels),
            (nameof(options.Heads), options.Heads),
            (nameof(options.RotaryHeads), options.RotaryHeads),
            (nameof(options.NormGroups), options.NormGroups));
        CheckNumbers(int.MaxValue, (nameof(options.Window), options.Window));
        ArgumentOutOfRangeException.ThrowIfNegative(options.Blocks, nameof(options.Blocks));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Blocks, MostBlocks, nameof(options.Blocks));
        NormEpsilon.Check(options.Epsilon);
        if (!(options.RotaryBase > 0 && double.IsFinite(options.RotaryBase)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), $"RotaryBase must be positive and finite; got {options.RotaryBase}.");
        }
        if (options.Channels % 2 != 0 || options.Channels / 2 % options.NormGroups != 0
            || options.Channels % options.Heads != 0 || options.Channels % (4L * options.RotaryHeads) != 0)
        {
            throw new ArgumentException(
                "Channels must be a multiple of 2·NormGroups, of Heads and of 4·RotaryHeads; got Channels " +
                $"{options.Channels}, NormGroups {options.NormGroups}, Heads {options.Heads} and RotaryHeads {options.RotaryHeads}.",
                nameof(options));
        }
    }

    private Sequence Encoder(string name, int kernel)
    {
        int channels = options.Channels / 2;
        var layers = new List<Layer> { Convolution($"{name}.0", ImageChannels) };
        for (int block = 1; block <= options.Blocks; block++)
        {
            foreach (int part in (ReadOnlySpan<int>)[1, 2])
            {
                layers.Add(new ActivatedConvolution(
                    $"{name}.{block}.norm{part}",
                    options.NormGroups,
                    options.Epsilon,
                    Convolution($"{name}.{block}.conv{part}", channels)));
            }
        }
        return new Sequence(layers);

        ConvolutionLayer Convolution(string layer, int input) =>
            new(layer, input, channels, kernel, hasBias: true, mirrors: true);
    }

    private Sequence Queries(MapShape output) => new(
        new ImageLimit(output.Height, output.Width), encoder, new Pooling(output.Height, output.Width), rotary);

    private static Pooling Keys(MapShape features) => new(features.Height, features.Width);
}

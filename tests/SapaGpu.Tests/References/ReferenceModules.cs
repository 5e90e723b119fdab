namespace SapaGpu.Tests;

/// <summary>
/// The upsampling modules in plain loops, with their parameters by name, written from their definitions.
/// </summary>
public static class ReferenceModules
{
    public static ReferenceMap Sapa(
        SapaOptions options,
        ReferenceMap encoder,
        ReferenceMap decoder,
        IReadOnlyDictionary<string, ReferenceMap> parameters)
    {
        var y = Normalise(options.FeatureNorm, options.NormGroups, options.Epsilon, "norm_y", encoder, parameters);
        var x = Normalise(options.FeatureNorm, options.NormGroups, options.Epsilon, "norm_x", decoder, parameters);
        var query = options.Similarity switch
        {
            Similarity.InnerProduct => y,
            Similarity.Bilinear => Project("q", y, parameters),
            Similarity.GatedBilinear => Blend(
                Enlarge(Project("gate", x, parameters)),
                Project("qy", y, parameters),
                Project("qx", Enlarge(decoder), parameters)),
            _ => Project("q", ReferenceMaps.Concatenate(y, Enlarge(decoder)), parameters),
        };
        var key = options.Similarity == Similarity.InnerProduct ? x : Project("k", x, parameters);
        var value = options.ValueChannels is null ? decoder : Project("v", x, parameters);
        return Reference.Attention(query, key, value, options.Attention);

        ReferenceMap Enlarge(ReferenceMap map) =>
            ReferenceInterpolation.Nearest(map, encoder.Shape.Height, encoder.Shape.Width);
    }

    public static ReferenceMap Deformable(
        SapaDeformableOptions options,
        ReferenceMap encoder,
        ReferenceMap decoder,
        IReadOnlyDictionary<string, ReferenceMap> parameters)
    {
        var kind = options.FeatureNorm;
        var y = Normalise(kind, options.NormGroups, options.Epsilon, "norm_y", encoder, parameters);
        return ReferencePoints.Attention(
            Project("q", y, parameters),
            Project("k", NormalisedDecoder(options, decoder, parameters), parameters),
            decoder,
            Offsets(options, decoder, parameters),
            options.Groups,
            options.Points);
    }

    /// <summary>The offsets of SAPA-D at the resolution of the output.</summary>
    public static ReferenceMap Offsets(
        SapaDeformableOptions options, ReferenceMap decoder, IReadOnlyDictionary<string, ReferenceMap> parameters)
    {
        var cells = Project("offset", NormalisedDecoder(options, decoder, parameters), parameters);
        return options.HighResolutionOffsets
            ? ReferenceInterpolation.PixelShuffle(cells, options.Scale)
            : ReferenceInterpolation.Nearest(
                cells, decoder.Shape.Height * options.Scale, decoder.Shape.Width * options.Scale);
    }

    public static ReferenceMap Carafe(
        CarafeOptions options, ReferenceMap features, IReadOnlyDictionary<string, ReferenceMap> parameters)
    {
        var code = Convolve(
            Project("channel_compressor", features, parameters),
            parameters["content_encoder.weight"],
            parameters["content_encoder.bias"],
            options.EncoderDilation);
        var scores = ReferenceInterpolation.PixelShuffle(code, options.Scale);
        var masks = ReferencePoints.Softmax(scores, options.Window * options.Window);
        return Reference.Reassembly(masks, features, options.Groups);
    }

    /// <summary>GroupNorm: statistics over the channels of a group and all pixels of an image.</summary>
    public static ReferenceMap GroupNorm(
        ReferenceMap input, int groups, ReferenceMap weight, ReferenceMap bias, double epsilon)
    {
        var output = new ReferenceMap(input.Shape);
        int length = input.Values.Length / (input.Shape.Batch * groups);
        int plane = input.Shape.Height * input.Shape.Width;
        for (int first = 0; first < input.Values.Length; first += length)
        {
            Dual mean = 0;
            for (int i = first; i < first + length; i++)
                mean += input.Values[i] / length;
            Dual variance = 0;
            for (int i = first; i < first + length; i++)
                variance += (input.Values[i] - mean) * (input.Values[i] - mean) / length;
            for (int i = first; i < first + length; i++)
            {
                int channel = i / plane % input.Shape.Channels;
                output.Values[i] = (input.Values[i] - mean) / Dual.Sqrt(variance + epsilon) * weight.Values[channel]
                    + bias.Values[channel];
            }
        }
        return output;
    }

    private static ReferenceMap NormalisedDecoder(
        SapaDeformableOptions options, ReferenceMap decoder, IReadOnlyDictionary<string, ReferenceMap> parameters) =>
        Normalise(
            options.FeatureNorm,
            options.NormGroups,
            options.Epsilon,
            "norm_x",
            decoder,
            parameters);

    private static ReferenceMap Normalise(
        FeatureNormKind kind,
        int groups,
        double epsilon,
        string name,
        ReferenceMap input,
        IReadOnlyDictionary<string, ReferenceMap> parameters) => kind switch
        {
            FeatureNormKind.Layer =>
                Reference.LayerNorm(input, parameters[$"{name}.weight"], parameters[$"{name}.bias"], epsilon),
            FeatureNormKind.Group =>
                GroupNorm(input, groups, parameters[$"{name}.weight"], parameters[$"{name}.bias"], epsilon),
            _ => input,
        };

    private static ReferenceMap Project(
        string name, ReferenceMap input, IReadOnlyDictionary<string, ReferenceMap> parameters) =>
        Reference.Linear(input, parameters[$"{name}.weight"], parameters.GetValueOrDefault($"{name}.bias"));

    // A gate of one channel between two maps.
    private static ReferenceMap Blend(ReferenceMap gate, ReferenceMap first, ReferenceMap second) =>
        ReferenceMaps.Build(first.Shape, (b, c, y, x) =>
        {
            var share = 1 / (1 + Dual.Exp(0 - gate[b, 0, y, x]));
            return share * first[b, c, y, x] + (1 - share) * second[b, c, y, x];
        });

    private static ReferenceMap Convolve(ReferenceMap input, ReferenceMap weight, ReferenceMap bias, int dilation)
    {
        int kernel = weight.Shape.Height;
        return ReferenceMaps.Build(ReferenceMaps.WithChannels(input.Shape, weight.Shape.Batch), (b, o, y, x) =>
        {
            var sum = bias.Values[o];
            for (int tap = 0; tap < kernel * kernel; tap++)
            {
                int row = y + (tap / kernel - kernel / 2) * dilation;
                int column = x + (tap % kernel - kernel / 2) * dilation;
                if (!input.Holds(row, column))
                    continue;
                for (int i = 0; i < input.Shape.Channels; i++)
                    sum += weight[o, i, tap / kernel, tap % kernel] * input[b, i, row, column];
            }
            return sum;
        });
    }
}

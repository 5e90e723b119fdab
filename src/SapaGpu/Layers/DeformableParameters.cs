using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// The parameters of a SAPA-D module. The projections for key and offsets read the same decoder features and are
/// computed as one product, with the channels of the key first.
/// </summary>
internal static class DeformableParameters
{
    /// <summary>The name of the stack of matrices that project the decoder features.</summary>
    public const string Matrices = "decoder.weight";

    /// <summary>The name of the stack of their biases.</summary>
    public const string Biases = "decoder.bias";

    public static FeatureNormLayer? Norm(
        string name, SapaDeformableOptions options) => options.FeatureNorm == FeatureNormKind.Group
        ? new FeatureNormLayer(name, FeatureNormKind.Group, options.NormGroups, options.Epsilon)
        : null;

    /// <summary>Returns the number of channels of the offsets as predicted at low resolution.</summary>
    public static int OffsetChannels(SapaDeformableOptions options) =>
        options.Groups * options.Points * 2 * (options.HighResolutionOffsets ? options.Scale * options.Scale : 1);

    /// <summary>Checks the options and returns the parameters in the order of a state_dict.</summary>
    public static IReadOnlyList<ParameterSpec> Specs(SapaDeformableOptions options)
    {
        Check(options);
        var specs = new List<ParameterSpec>();
        if (options.FeatureNorm == FeatureNormKind.Group)
        {
            specs.AddRange(Norm("norm_y", options)!.Specs(options.EncoderChannels));
            specs.AddRange(Norm("norm_x", options)!.Specs(options.DecoderChannels));
        }
        int embedding = options.Groups * options.EmbeddingChannels;
        Add("q", embedding, options.EncoderChannels, null, isStacked: false);
        Add("k", embedding, options.DecoderChannels, null, isStacked: true);
        Add("offset", OffsetChannels(options), options.DecoderChannels, 0, isStacked: true);
        return specs;

        void Add(string name, int outputs, int inputs, double? constant, bool isStacked)
        {
            specs.Add(new ParameterSpec(
                $"{name}.weight", [outputs, inputs, 1, 1], constant, Stack: isStacked ? Matrices : null));
            if (options.HasBias)
                specs.Add(new ParameterSpec($"{name}.bias", [outputs], 0, Stack: isStacked ? Biases : null));
        }
    }

    private static void Check(SapaDeformableOptions options)
    {
        NormEpsilon.Check(options.Epsilon);
        if (options.FeatureNorm == FeatureNormKind.Layer)
        {
            throw new NotSupportedException(
                "SAPA-D does not support FeatureNormKind.Layer; choose FeatureNormKind.Group or FeatureNormKind.None.");
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EncoderChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.DecoderChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EmbeddingChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Groups, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Points, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Scale, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Scale, OperatorSupport.MaximumScale);
        if (options.DecoderChannels % options.Groups != 0)
        {
            throw new ArgumentException(
                $"DecoderChannels must be a multiple of Groups; got DecoderChannels {options.DecoderChannels} and " +
                $"Groups {options.Groups}.",
                nameof(options));
        }
        if (options.FeatureNorm == FeatureNormKind.Group)
        {
            GroupNorms.Check(options.NormGroups, options.EncoderChannels);
            GroupNorms.Check(options.NormGroups, options.DecoderChannels);
        }
    }
}

using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// The parameters of a SAPA module. The projections for key, value and gate read the same normalised decoder features
/// and are computed as one product, with the channels of key, value and gate in this order.
/// </summary>
internal static class SapaParameters
{
    /// <summary>The name of the stack of matrices that project the normalised decoder features.</summary>
    public const string Matrices = "decoder.weight";

    /// <summary>The name of the stack of their biases.</summary>
    public const string Biases = "decoder.bias";

    public static FeatureNormLayer? Norm(
        string name, SapaOptions options) => options.FeatureNorm == FeatureNormKind.None
        ? null
        : new FeatureNormLayer(name, options.FeatureNorm, options.NormGroups, options.Epsilon);

    /// <summary>Returns the part of the query's matrix that projects encoder features.</summary>
    public static FeatureMap EncoderMatrix(ParameterSet parameters, int encoderChannels) =>
        parameters.Find("qy.weight") ?? parameters.Columns("q.weight", 0, encoderChannels);

    public static FeatureMap<T> Key<T>(FeatureMap<T> projections, SapaOptions options)
        where T : unmanaged => projections.Channels(0, options.EmbeddingChannels);

    public static FeatureMap<T>? Value<T>(FeatureMap<T>? projections, SapaOptions options)
        where T : unmanaged => options.ValueChannels is { } channels
            ? projections!.Channels(KeyChannels(options), channels)
            : null;

    public static FeatureMap<T>? Gate<T>(FeatureMap<T>? projections, SapaOptions options)
        where T : unmanaged => options.Similarity == Similarity.GatedBilinear
            ? projections!.Channels(KeyChannels(options) + (options.ValueChannels ?? 0), 1)
            : null;

    /// <summary>Checks the options and returns the parameters in the order of a state_dict.</summary>
    public static IReadOnlyList<ParameterSpec> Specs(SapaOptions options)
    {
        Check(options);
        int y = options.EncoderChannels;
        int x = options.DecoderChannels;
        int d = options.EmbeddingChannels;
        var specs = new List<ParameterSpec>();
        if (options.FeatureNorm != FeatureNormKind.None)
        {
            specs.AddRange(Norm("norm_y", options)!.Specs(y));
            specs.AddRange(Norm("norm_x", options)!.Specs(x));
        }
        switch (options.Similarity)
        {
            case Similarity.Bilinear:
                Add("q", d, y);
                break;
            case Similarity.GatedBilinear:
                Add("qy", d, y);
                Add("qx", d, x);
                break;
            case Similarity.Concatenated:
                Add("q", d, y + x);
                break;
        }
        if (options.Similarity != Similarity.InnerProduct)
            Add("k", d, x, isStacked: true);
        if (options.ValueChannels is { } channels)
            Add("v", channels, x, isStacked: true);
        if (options.Similarity == Similarity.GatedBilinear)
            Add("gate", 1, x, isStacked: true);
        return specs;

        void Add(string name, int outputs, int inputs, bool isStacked = false)
        {
            int[] shape = options.FeatureNorm == FeatureNormKind.Layer
                ? [outputs, inputs]
                : [outputs, inputs, 1, 1];
            specs.Add(new ParameterSpec($"{name}.weight", shape, Stack: isStacked ? Matrices : null));
            if (options.HasBias)
                specs.Add(new ParameterSpec($"{name}.bias", [outputs], Constant: 0, Stack: isStacked ? Biases : null));
        }
    }

    private static int KeyChannels(SapaOptions options) =>
        options.Similarity == Similarity.InnerProduct ? 0 : options.EmbeddingChannels;

    private static void Check(SapaOptions options)
    {
        OperatorSupport.CheckWindow(options.Window);
        NormEpsilon.Check(options.Epsilon);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EncoderChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.DecoderChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EmbeddingChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(
            options.ValueChannels ?? 1, 1, $"{nameof(options)}.{nameof(options.ValueChannels)}");
        if (options.Similarity == Similarity.InnerProduct && options.EncoderChannels != options.DecoderChannels)
        {
            throw new ArgumentException(
                $"The inner product needs as many encoder as decoder channels; got {options.EncoderChannels} and " +
                $"{options.DecoderChannels}. Choose a similarity with projections, such as Similarity.Bilinear.",
                nameof(options));
        }
        if (options.FeatureNorm == FeatureNormKind.Group)
        {
            GroupNorms.Check(options.NormGroups, options.EncoderChannels);
            GroupNorms.Check(options.NormGroups, options.DecoderChannels);
        }
    }
}

namespace SapaGpu.Layers;

/// <summary>Computes queries and keys of cross-resolution attention from an image and low-resolution features.</summary>
internal abstract class AttentionEncoder
{
    /// <summary>The most channels of queries and keys, kernels and groups: published models have hundreds.</summary>
    protected const int MostChannels = 1 << 14;

    /// <summary>The widest kernel.</summary>
    protected const int MostTaps = 255;

    private const long MostParameters = 1 << 28;

    /// <summary>The parameters, in the order of a state_dict.</summary>
    public abstract IReadOnlyList<ParameterSpec> Specs { get; }

    /// <summary>Whether keys depend on the features.</summary>
    public virtual bool ReadsFeatures => false;

    /// <summary>The names of parameters that are in checkpoints but have no influence.</summary>
    public virtual IReadOnlyCollection<string> WithoutInfluence => [];

    /// <summary>Heads and score scale of the attention.</summary>
    public abstract CrossAttentionOptions Attention { get; }

    /// <summary>Says what is wrong with the sizes; null if nothing is.</summary>
    public abstract string? Objection(MapShape image, MapShape features, MapShape output);

    /// <summary>The cells that a point of the output sees.</summary>
    public abstract WindowRanges Ranges(MapShape features, MapShape output);

    /// <summary>Computes queries of the size of the output and keys of that of the features.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="image">The image in the type of the parameters, which is taken over.</param>
    /// <param name="features">The features.</param>
    /// <param name="output">The shape of the output.</param>
    /// <param name="trace">What the backward needs.</param>
    public abstract (FeatureMap Query, FeatureMap Key) Forward(
        ParameterSet parameters, FeatureMap image, FeatureMap features, MapShape output, Trace trace);

    /// <summary>
    /// Computes the gradients of the parameters, and returns those of the image and of the features, null if the keys do not depend
    /// on them; gradients of queries and keys are taken over.
    /// </summary>
    public abstract (FeatureMap Image, FeatureMap? Features) Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradQuery, FeatureMap gradKey, Trace.Reader trace);

    /// <summary>Throws where a number in options is below 1 or larger than any model's.</summary>
    protected static void CheckNumbers(int most, params ReadOnlySpan<(string Name, int Value)> numbers)
    {
        foreach (var (name, value) in numbers)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, name);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most, name);
        }
    }

    /// <summary>Throws where the parameters are more than any model's: memory would end, or the numbers that count it.</summary>
    protected static void CheckParameters(IReadOnlyList<ParameterSpec> specs)
    {
        long count = specs.Sum(spec => spec.Shape.Aggregate(1L, (product, size) => product * size));
        if (count > MostParameters)
        {
            throw new ArgumentException(
                $"The module would have {count:N0} parameters, more than {MostParameters:N0}; choose fewer channels, blocks or kernels, " +
                "or smaller kernels.");
        }
    }
}

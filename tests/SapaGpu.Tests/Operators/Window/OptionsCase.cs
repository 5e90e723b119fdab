using System.Collections.Concurrent;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// A window problem with its choices, operands drawn at random, and what the reference makes of them, which is computed
/// once for all devices, formats and precisions.
/// </summary>
public sealed class OptionsCase
{
    private readonly ConcurrentDictionary<ReferenceMap, double[]> gradients = new();
    private readonly Lazy<ReferenceMap> output;

    public OptionsCase(WindowShape shape, WindowAttentionOptions options, int seed = 1)
        : this(shape, options, new Random(seed))
    {
    }

    private OptionsCase(WindowShape shape, WindowAttentionOptions options, Random random)
        : this(
            shape,
            options,
            ReferenceMap.Random(random, shape.QueryShape),
            ReferenceMap.Random(random, shape.KeyShape),
            ReferenceMap.Random(random, shape.ValueShape),
            ReferenceMap.Random(random, OutputOf(shape, options)))
    {
    }

    private OptionsCase(
        WindowShape shape,
        WindowAttentionOptions options,
        ReferenceMap query,
        ReferenceMap key,
        ReferenceMap value,
        ReferenceMap gradOutput)
    {
        Shape = shape;
        Options = options;
        Query = query;
        Key = key;
        Value = value;
        GradOutput = gradOutput;
        output = new(() => Reference.Attention(query, key, value, options));
    }

    public WindowShape Shape { get; }

    public WindowAttentionOptions Options { get; }

    public ReferenceMap Query { get; }

    public ReferenceMap Key { get; }

    public ReferenceMap Value { get; }

    public ReferenceMap GradOutput { get; }

    public ReferenceMap Output => output.Value;

    public MapShape OutputShape => OutputOf(Shape, Options);

    public MapShape WeightsShape =>
        OfChannels(Shape, Options.Heads * Shape.Window * Shape.Window);

    /// <summary>The case with operands rounded to an element type.</summary>
    public OptionsCase RoundedTo<T>()
        where T : unmanaged => new(
        Shape, Options, Query.RoundedTo<T>(), Key.RoundedTo<T>(), Value.RoundedTo<T>(), GradOutput.RoundedTo<T>());

    public double[] Gradient(ReferenceMap input) => gradients.GetOrAdd(
        input,
        static (input, self) => Reference.Gradient(
            () => Reference.Attention(self.Query, self.Key, self.Value, self.Options), input, self.GradOutput),
        this);

    public override string ToString() =>
        $"B{Shape.KeyShape.Batch} {Shape.KeyShape.Height}x{Shape.KeyShape.Width} to {OutputShape.Height}x{OutputShape.Width} " +
        $"K{Shape.Window} D{Shape.KeyShape.Channels} C{Shape.ValueShape.Channels} {Options.Border} {Options.Normalisation}, " +
        $"{Options.Heads} heads {Options.HeadValue}";

    private static MapShape OutputOf(WindowShape shape, WindowAttentionOptions options) => OfChannels(
        shape,
        options.HeadValue == HeadValue.Shared ? options.Heads * shape.ValueShape.Channels : shape.ValueShape.Channels);

    private static MapShape OfChannels(WindowShape shape, int channels) =>
        new(shape.QueryShape.Batch, channels, shape.QueryShape.Height, shape.QueryShape.Width);
}

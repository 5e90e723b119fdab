namespace SapaGpu.Tests.Operators;

/// <summary>
/// The operands of the steps of window attention and what the reference makes of each, computed once.
/// </summary>
public sealed class StepsCase
{
    private readonly Dictionary<string, object> known = [];

    public StepsCase(OptionsCase operands)
    {
        var random = new Random(2);
        var shape = operands.WeightsShape;
        Operands = operands;
        Scores = ReferenceMap.Random(random, shape, magnitude: 3);
        Weights = ReferenceMap.Random(random, shape);
        GradWeights = ReferenceMap.Random(random, shape);
        GradMean = ReferenceMap.Random(
            random, new MapShape(shape.Batch, shape.Channels / operands.Options.Heads, shape.Height, shape.Width));
    }

    public OptionsCase Operands { get; }

    /// <summary>Gets scores for the step from scores to weights.</summary>
    public ReferenceMap Scores { get; }

    /// <summary>Gets weights for the reassembly, of any sign and sum.</summary>
    public ReferenceMap Weights { get; }

    /// <summary>Gets a gradient in the shape of scores and weights.</summary>
    public ReferenceMap GradWeights { get; }

    /// <summary>Gets a gradient in the shape of the mean of the weights.</summary>
    public ReferenceMap GradMean { get; }

    public ReferenceMap Similarity() => Reference.Similarity(Operands.Query, Operands.Key, Operands.Options);

    public ReferenceMap WeightsOfScores() => Reference.Weights(Scores, Operands.Key.Shape, Operands.Options);

    public ReferenceMap Mean() => Reference.Mean(WeightsOfScores(), Operands.Options.Heads);

    public ReferenceMap Reassembly() => Reference.Reassembly(Weights, Operands.Value, Operands.Options);

    /// <summary>The result of a step.</summary>
    public ReferenceMap Of(Func<ReferenceMap> step) => Known(step.Method.Name, step);

    /// <summary>The gradient of a step.</summary>
    public double[] Gradient(Func<ReferenceMap> step, ReferenceMap input, ReferenceMap gradient, string name) =>
        Known($"{step.Method.Name} {name}", () => Reference.Gradient(step, input, gradient));

    private T Known<T>(string name, Func<T> compute)
        where T : class
    {
        if (!known.TryGetValue(name, out object? result))
            known.Add(name, result = compute());
        return (T)result;
    }
}

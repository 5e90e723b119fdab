namespace SapaGpu.Tests.Operators;

/// <summary>The operands of an attention problem, drawn at random, with the reference's results.</summary>
public sealed class AttentionCase
{
    private readonly Dictionary<ReferenceMap, double[]> gradients = [];

    public AttentionCase(WindowProblem problem, BorderRule border, int seed = 1)
    {
        var random = new Random(seed);
        Problem = problem;
        Border = border;
        Query = ReferenceMap.Random(random, problem.Shape.QueryShape);
        Key = ReferenceMap.Random(random, problem.Shape.KeyShape);
        Value = ReferenceMap.Random(random, problem.Shape.ValueShape);
        GradOutput = ReferenceMap.Random(random, problem.Shape.OutputShape);
    }

    public WindowProblem Problem { get; }

    public BorderRule Border { get; }

    public ReferenceMap Query { get; }

    public ReferenceMap Key { get; }

    public ReferenceMap Value { get; }

    public ReferenceMap GradOutput { get; }

    public WindowAttentionOptions Options => new() { Window = Problem.Window, Border = Border };

    public ReferenceMap Forward() => Reference.Attention(Query, Key, Value, Options);

    /// <summary>The gradient of an operand, computed once.</summary>
    public double[] Gradient(ReferenceMap input)
    {
        if (!gradients.TryGetValue(input, out var known))
            gradients.Add(input, known = Reference.Gradient(Forward, input, GradOutput));
        return known;
    }
}

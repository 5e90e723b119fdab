namespace SapaGpu.Tests.Operators;

/// <summary>The operands of a problem of cross-resolution attention, and what the reference makes of them.</summary>
public sealed class CrossCase
{
    private const float Ratio = 0.2f;

    private readonly IReadOnlyList<int?[]> rows;
    private readonly IReadOnlyList<int?[]> columns;

    public CrossCase(CrossProblem problem)
    {
        Problem = problem;
        var random = new Random(problem.Seed);
        var (batch, height, width) = problem.Map;
        int keyChannels = problem.Heads * problem.Channels.Key;
        int valueChannels = problem.AveragesHeads ? problem.Channels.Value : problem.Heads * problem.Channels.Value;
        Options = new CrossAttentionOptions
        {
            Heads = problem.Heads,
            AveragesHeads = problem.AveragesHeads,
            ScoreScale = 0.75,
            Normalisation = problem.Normalisation,
        };
        Query = ReferenceMap.Random(random, new(batch, keyChannels, problem.Output.Height, problem.Output.Width));
        Key = ReferenceMap.Random(random, new(batch, keyChannels, height, width));
        Value = ReferenceMap.Random(random, new(batch, valueChannels, height, width));
        GradOutput = ReferenceMap.Random(random, new(batch, valueChannels, problem.Output.Height, problem.Output.Width));
        if (problem.HasBias)
        {
            Bias = ReferenceMap.Random(random, new(batch, 1, height, width));
            for (int i = 0; i < Bias.Values.Length; i++)
            {
                if (random.Next(4) == 0)
                    Bias.Values[i] = double.NegativeInfinity;
            }
        }
        (var rowRanges, rows) = ReferenceAxis.Of(
            problem.Rule, height, problem.Output.Height, problem.Window.Height, Ratio, random);
        (var columnRanges, columns) = ReferenceAxis.Of(
            problem.Rule, width, problem.Output.Width, problem.Window.Width, Ratio, random);
        Ranges = new WindowRanges(rowRanges, columnRanges);
    }

    public CrossProblem Problem { get; }

    public CrossAttentionOptions Options { get; }

    public WindowRanges Ranges { get; }

    public ReferenceMap Query { get; }

    public ReferenceMap Key { get; }

    public ReferenceMap Value { get; }

    public ReferenceMap? Bias { get; }

    public ReferenceMap GradOutput { get; }

    /// <summary>The output.</summary>
    public ReferenceMap Forward() => ReferenceCross.Attention(Query, Key, Value, Bias, rows, columns, Options);

    /// <summary>Gets query, key, value, and the bias if there is one.</summary>
    public IReadOnlyList<ReferenceMap> Operands => Bias is null ? [Query, Key, Value] : [Query, Key, Value, Bias];

    /// <summary>The derivative of ⟨output, its gradient⟩ where an operand moves in a direction.</summary>
    public double Derivative(ReferenceMap operand, double[] direction)
    {
        var kept = operand.Values.ToArray();
        for (int i = 0; i < kept.Length; i++)
        {
            if (double.IsFinite(kept[i].Value))
                operand.Values[i] = new Dual(kept[i].Value, direction[i]);
        }
        var output = Forward();
        kept.CopyTo(operand.Values, 0);
        return output.Values.Zip(GradOutput.Values, (value, gradient) => value.Derivative * gradient.Value).Sum();
    }
}

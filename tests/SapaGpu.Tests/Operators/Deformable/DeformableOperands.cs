namespace SapaGpu.Tests.Operators;

/// <summary>
/// The operands of a problem of deformable attention, drawn at random, with the reference's results. Points keep away
/// from whole coordinates, where the gradients of offsets jump, unless offsets are given.
/// </summary>
public sealed class DeformableOperands
{
    private readonly Dictionary<(Func<ReferenceMap> Forward, ReferenceMap Input), double[]> gradients = [];

    public DeformableOperands(DeformableProblem problem, Func<Random, double>? offset = null, int seed = 1)
    {
        var random = new Random(seed);
        Problem = problem;
        Query = ReferenceMap.Random(random, problem.QueryShape);
        Key = ReferenceMap.Random(random, problem.KeyShape);
        Value = ReferenceMap.Random(random, problem.ValueShape);
        Weights = ReferenceMap.Random(random, problem.WeightsShape);
        GradScores = ReferenceMap.Random(random, problem.WeightsShape);
        GradOutput = ReferenceMap.Random(random, problem.OutputShape);
        Offsets = ReferenceMaps.Build(
            problem.OffsetShape, (b, c, y, x) => (float)(offset ?? AwayFromWholeNumbers)(random));
        Scores = () => ReferencePoints.Scores(Query, Key, Offsets, problem.Groups, problem.Points);
        Reassemble = () => ReferencePoints.Reassemble(Weights, Value, Offsets, problem.Groups, problem.Points);
        Attention = () => ReferencePoints.Attention(Query, Key, Value, Offsets, problem.Groups, problem.Points);
    }

    public DeformableProblem Problem { get; }

    public ReferenceMap Query { get; }

    public ReferenceMap Key { get; }

    public ReferenceMap Value { get; }

    public ReferenceMap Weights { get; }

    public ReferenceMap Offsets { get; }

    public ReferenceMap GradScores { get; }

    public ReferenceMap GradOutput { get; }

    public Func<ReferenceMap> Scores { get; }

    public Func<ReferenceMap> Reassemble { get; }

    public Func<ReferenceMap> Attention { get; }

    /// <summary>The same operands with all values rounded to an element type.</summary>
    public DeformableOperands Rounded<T>()
        where T : unmanaged
    {
        foreach (var map in new[] { Query, Key, Value, Weights, Offsets, GradScores, GradOutput })
            map.Rounded<T>();
        return this;
    }

    /// <summary>The gradient of one of the three forwards, computed once.</summary>
    public double[] Gradient(Func<ReferenceMap> forward, ReferenceMap input)
    {
        lock (gradients)
        {
            if (!gradients.TryGetValue((forward, input), out var known))
            {
                known = Reference.Gradient(forward, input, forward == Scores ? GradScores : GradOutput);
                gradients.Add((forward, input), known);
            }
            return known;
        }
    }

    private static double AwayFromWholeNumbers(Random random) =>
        random.Next(-3, 3) + 0.0625 + 0.875 * random.NextDouble();
}

using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

internal sealed class AttentionProblem : OperatorProblem
{
    private readonly AttentionSizes sizes;

    public AttentionProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        sizes = new(draw, kernel);
        Add("query", sizes.Query, Gradients.Query);
        Add("key", sizes.Key, Gradients.Key);
        Add("value", sizes.Value, Gradients.Value);
        AddGradient(sizes.Output);
    }

    /// <summary>Gets whether weights are those of the logistic function, which are 0/0 far below 0.</summary>
    public bool HasLogisticWeights => sizes.Options.Normalisation == ScoreNormalisation.Sigmoid;

    public override string Name => $"WindowAttention {sizes}";

    public override bool KeepsNonFinite => sizes.Options.Border != BorderRule.Replicate;

    public override ReferenceMap Expected() =>
        Reference.Attention(Operands[0].Values, Operands[1].Values, Operands[2].Values, sizes.Options);

    public override bool MayOverflow(int operand, ElementType type) =>
        Operands[operand].Flag == Gradients.Value && sizes.PartsMayOverflow(type);

    public override double Roundings(ElementType type, bool backward) => sizes.HeadRoundings(type, backward);

    public override void Run<T>(Execution<T> run)
    {
        if (IsIntoOwn)
        {
            var output = run.Own(sizes.Output);
            using var own = new WindowAttentionContext<T>(run.Device, sizes.Window, sizes.Options);
            WindowAttention.Forward(run[0], run[1], run[2], output, sizes.Options, own);
            WindowAttention.Backward(own, run.GradOutput, run.OwnGradient(0), run.OwnGradient(1), run.OwnGradient(2));
            return;
        }
        run.Output(WindowAttention.Forward(run[0], run[1], run[2], sizes.Options, out var context));
        using (context)
        {
            var gradients = run.Keep(WindowAttention.Backward(context, run.GradOutput, Wanted));
            run.Gradient(0, gradients.Query);
            run.Gradient(1, gradients.Key);
            run.Gradient(2, gradients.Value);
        }
    }
}

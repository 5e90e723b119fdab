using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary><see cref="CrossAttention"/>, forward and backward.</summary>
internal sealed class CrossAttentionProblem : OperatorProblem
{
    private readonly CrossSizes sizes;

    public CrossAttentionProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        sizes = new(draw, kernel);
        Add("query", sizes.Query, Gradients.Query);
        Add("key", sizes.Key, Gradients.Key);
        Add("value", sizes.Value, Gradients.Value);
        if (sizes.HasBias)
            Add("bias", sizes.DrawBias(draw), Gradients.KeyBias);
        AddGradient(sizes.Output);
    }

    public override string Name => $"CrossAttention {sizes}";

    // The weights of a cell that is counted again are one: of its products, ∞ and NaN may come out as one another.
    public override bool KeepsNonFinite => !sizes.Repeats;

    private ReferenceMap? Bias => sizes.HasBias ? Operands[3].Values : null;

    public override ReferenceMap Expected() => ReferenceCross.Attention(
        Operands[0].Values, Operands[1].Values, Operands[2].Values, Bias, sizes.Taps.Rows, sizes.Taps.Columns, sizes.Options);

    public override void Run<T>(Execution<T> run)
    {
        var ranges = sizes.CreateRanges();
        var bias = sizes.HasBias ? run[3] : null;
        if (IsIntoOwn)
        {
            var (_, shape) = CrossAttention.Shapes(run[0], run[1], run[2], ranges, sizes.Options, bias);
            var statistics = run.Temporary(shape);
            CrossAttention.Forward(
                run[0], run[1], run[2], run.Own(sizes.Output), ranges, sizes.Options, bias, statistics);
            using var own = new CrossAttentionContext<T>(
                run[0], run[1], run[2], ranges, statistics, sizes.Options, bias);
            CrossAttention.Backward(
                own,
                run.GradOutput,
                run.OwnGradient(0),
                run.OwnGradient(1),
                run.OwnGradient(2),
                sizes.HasBias ? run.OwnGradient(3) : null);
            return;
        }
        run.Output(CrossAttention.Forward(run[0], run[1], run[2], ranges, sizes.Options, bias, out var context));
        using (context)
        {
            var gradients = run.Keep(CrossAttention.Backward(context, run.GradOutput, Wanted));
            run.Gradient(0, gradients.Query);
            run.Gradient(1, gradients.Key);
            run.Gradient(2, gradients.Value);
            if (sizes.HasBias)
                run.Gradient(3, gradients.KeyBias);
        }
    }
}

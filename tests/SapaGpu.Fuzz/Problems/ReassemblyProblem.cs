using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

internal sealed class ReassemblyProblem : OperatorProblem
{
    private readonly AttentionSizes sizes;

    public ReassemblyProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        sizes = new(draw, kernel);
        Add("weights", sizes.Weights, Gradients.Weights);
        Add("value", sizes.Value, Gradients.Value);
        AddGradient(sizes.Output);
    }

    public override string Name => $"WindowReassembly {sizes}";

    public override bool KeepsNonFinite => sizes.Options.Border != BorderRule.Replicate;

    public override ReferenceMap Expected() =>
        Reference.Reassembly(Operands[0].Values, Operands[1].Values, sizes.Options);

    public override bool MayOverflow(int operand, ElementType type) =>
        Operands[operand].Flag == Gradients.Value && sizes.PartsMayOverflow(type);

    public override double Roundings(ElementType type, bool backward) => sizes.HeadRoundings(type, backward);

    public override void Run<T>(Execution<T> run)
    {
        if (IsIntoOwn)
        {
            WindowReassembly.Forward(run[0], run[1], run.Own(sizes.Output), sizes.Options);
            WindowReassembly.Backward(
                run[0], run[1], run.GradOutput, run.OwnGradient(0), run.OwnGradient(1), sizes.Options);
            return;
        }
        run.Output(WindowReassembly.Forward(run[0], run[1], sizes.Options));
        var gradients = run.Keep(WindowReassembly.Backward(run[0], run[1], run.GradOutput, sizes.Options, Wanted));
        run.Gradient(0, gradients.Weights);
        run.Gradient(1, gradients.Value);
    }
}

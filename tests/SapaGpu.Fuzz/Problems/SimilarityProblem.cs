using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

internal sealed class SimilarityProblem : OperatorProblem
{
    private readonly AttentionSizes sizes;

    public SimilarityProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        sizes = new(draw, kernel);
        Add("query", sizes.Query, Gradients.Query);
        Add("key", sizes.Key, Gradients.Key);
        AddGradient(sizes.Weights);
    }

    public override string Name => $"WindowSimilarity {sizes}";

    public override ReferenceMap Expected() =>
        Reference.Similarity(Operands[0].Values, Operands[1].Values, sizes.Options);

    public override void Run<T>(Execution<T> run)
    {
        if (IsIntoOwn)
        {
            WindowSimilarity.Forward(run[0], run[1], run.Own(sizes.Weights), sizes.Options);
            WindowSimilarity.Backward(
                run[0], run[1], run.GradOutput, run.OwnGradient(0), run.OwnGradient(1), sizes.Options);
            return;
        }
        run.Output(WindowSimilarity.Forward(run[0], run[1], sizes.Options));
        var gradients = run.Keep(WindowSimilarity.Backward(run[0], run[1], run.GradOutput, sizes.Options, Wanted));
        run.Gradient(0, gradients.Query);
        run.Gradient(1, gradients.Key);
    }
}

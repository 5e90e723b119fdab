using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

internal sealed class WeightsProblem : OperatorProblem
{
    private readonly AttentionSizes sizes;
    private readonly bool isAveraged;

    public WeightsProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        sizes = new(draw, kernel);
        isAveraged = kernel.OnceIn(3);
        Add("scores", sizes.Weights, Gradients.None, magnitude: draw.Of(1.0, 3, 20));
        AddGradient(isAveraged ? ReferenceMaps.WithChannels(sizes.Weights, sizes.Taps) : sizes.Weights);
    }

    public override string Name => $"WindowWeights {sizes}{(isAveraged ? ", averaged" : "")}";

    public override ReferenceMap Expected()
    {
        var weights = Reference.Weights(Operands[0].Values, sizes.Key, sizes.Options);
        return isAveraged ? Reference.Mean(weights, sizes.Options.Heads) : weights;
    }

    // Averaged weights of 16 bits are rounded before they are averaged.
    public override double Roundings(ElementType type, bool backward) => isAveraged ? 2 : 1;

    public override void Run<T>(Execution<T> run)
    {
        if (IsIntoOwn)
            WindowWeights.Forward(run[0], sizes.Key, run.Own(GradOutput.Shape), sizes.Options, isAveraged);
        else
            run.Output(WindowWeights.Forward(run[0], sizes.Key, sizes.Options, isAveraged));
        run.Gradient(
            0, run.Keep(WindowWeights.Backward(run[0], sizes.Key, run.GradOutput, sizes.Options, isAveraged)));
    }
}

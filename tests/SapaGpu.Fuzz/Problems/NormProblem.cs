using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>LayerNorm over the channels of a pixel, or GroupNorm.</summary>
internal sealed class NormProblem : OperatorProblem
{
    private readonly int groups;
    private readonly double epsilon;
    private readonly int weight;
    private readonly int bias;

    public NormProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        groups = kernel.Of(0, 0, 1, 2, 4);
        epsilon = draw.Of(1e-5, 1e-3, 0.1);
        int channels = Math.Max(groups, 1) * draw.Of(1, 2, 3, 4, 5, 8, 9, 16);
        var shape = new MapShape(draw.Of(1, 1, 2), channels, draw.Int(1, 9), draw.Of(1, 2, 3, 5, 8, 17, 33));
        Add("input", shape, Gradients.None);
        weight = AddParameter("weight", new MapShape(1, channels, 1, 1));
        bias = AddParameter("bias", new MapShape(1, channels, 1, 1));
        AddGradient(shape);
    }

    public override string Name => $"FeatureNorm {groups} groups, epsilon {epsilon}";

    public override ReferenceMap Expected()
    {
        var (input, factor, offset) = (Operands[0].Values, Operands[weight].Values, Operands[bias].Values);
        return groups == 0
            ? Reference.LayerNorm(input, factor, offset, epsilon)
            : ReferenceModules.GroupNorm(input, groups, factor, offset, epsilon);
    }

    // What it divides by may be as small as √ε.
    public override double Roundings(ElementType type, bool backward) => 0.1 / Math.Sqrt(epsilon) + 1;

    public override void Run<T>(Execution<T> run)
    {
        var (factor, offset) = (run.Parameter(weight)!, run.Parameter(bias)!);
        if (IsIntoOwn && Wants(weight))
        {
            var own = run.Temporary(FeatureNorm.StatisticsShape(Operands[0].Shape, groups));
            FeatureNorm.Forward(run[0], groups, factor, offset, epsilon, run.Own(GradOutput.Shape), own);
            FeatureNorm.Backward(
                run[0], groups, factor, own, run.GradOutput, run.OwnGradient(0)!, run.OwnParameterGradient(weight)!, run.OwnParameterGradient(bias)!);
            return;
        }
        var (output, statistics) = FeatureNorm.Forward(run[0], groups, factor, offset, epsilon);
        run.Output(output);
        run.Keep(statistics);
        var gradients = run.Keep(FeatureNorm.Backward(run[0], groups, factor, statistics, run.GradOutput));
        run.Gradient(0, gradients.Input);
        if (Wants(weight))
        {
            run.Gradient(weight, gradients.Weight);
            run.Gradient(bias, gradients.Bias);
        }
    }
}

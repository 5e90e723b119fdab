using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

internal sealed class ProjectionProblem : OperatorProblem
{
    private const int None = -1;

    private readonly int weight;
    private readonly int bias = None;
    private readonly int normWeight = None;
    private readonly int normBias = None;
    private readonly double epsilon;

    public ProjectionProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        var (inputs, outputs) = (Sizes.Channels(draw), Sizes.Channels(draw));
        bool hasNorm = kernel.OnceIn(2);
        epsilon = draw.Of(1e-5, 1e-3, 0.1);
        long pixels = Math.Max(1, Sizes.Work(draw) / (inputs * outputs));
        int images = draw.Of(1, 1, 2);
        int height = draw.Int(1, (int)Math.Clamp(pixels / images, 1, 17));
        int width = draw.Int(1, (int)Math.Clamp(pixels / images / height, 1, 40));
        Add("input", new MapShape(images, inputs, height, width), Gradients.Input);
        weight = AddParameter("matrix", new MapShape(outputs, inputs, 1, 1));
        if (kernel.OnceIn(2))
            bias = AddParameter("bias", new MapShape(1, outputs, 1, 1));
        if (hasNorm)
        {
            normWeight = AddParameter("norm weight", new MapShape(1, inputs, 1, 1));
            normBias = AddParameter("norm bias", new MapShape(1, inputs, 1, 1));
        }
        AddGradient(new MapShape(images, outputs, height, width));
    }

    public override string Name =>
        $"PointwiseProjection{(normWeight == None ? "" : $" norm {epsilon}")}{(bias == None ? "" : " bias")}";

    public override ReferenceMap Expected()
    {
        var input = Operands[0].Values;
        if (normWeight != None)
            input = Reference.LayerNorm(input, Operands[normWeight].Values, Operands[normBias].Values, epsilon);
        return Reference.Linear(input, Operands[weight].Values, bias == None ? null : Operands[bias].Values);
    }

    // What the normalisation divides by may be as small as √ε.
    public override double Roundings(ElementType type, bool backward) =>
        normWeight == None ? 1 : 0.1 / Math.Sqrt(epsilon) + 1;

    public override bool IsLinear(int operand) => operand == 0 && normWeight == None;

    public override void Run<T>(Execution<T> run)
    {
        var parameters = new ProjectionWeights(
            run.Parameter(weight)!, run.Parameter(bias), run.Parameter(normWeight), run.Parameter(normBias), epsilon);
        FeatureMap? statistics = null;
        if (IsIntoOwn)
        {
            if (normWeight != None)
                statistics = run.Temporary(FeatureNorm.StatisticsShape(Operands[0].Shape, groups: 0));
            PointwiseProjection.Forward(run[0], parameters, run.Own(GradOutput.Shape), statistics);
            ProjectionWeights? own = Wants(weight)
                ? new ProjectionWeights(
                    run.OwnParameterGradient(weight)!,
                    run.OwnParameterGradient(bias),
                    run.OwnParameterGradient(normWeight),
                    run.OwnParameterGradient(normBias),
                    epsilon)
                : null;
            PointwiseProjection.Backward(run[0], parameters, statistics, run.GradOutput, run.OwnGradient(0), own);
            return;
        }
        (var output, statistics) = PointwiseProjection.Forward(run[0], parameters);
        run.Output(output);
        if (statistics is not null)
            run.Keep(statistics);
        var gradients = run.Keep(PointwiseProjection.Backward(run[0], parameters, statistics, run.GradOutput, Wanted));
        run.Gradient(0, gradients.Input);
        run.Gradient(weight, gradients.Parameters?.Weight);
        run.Gradient(bias, gradients.Parameters?.Bias);
        run.Gradient(normWeight, gradients.Parameters?.NormWeight);
        run.Gradient(normBias, gradients.Parameters?.NormBias);
    }
}

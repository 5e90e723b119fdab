using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

internal sealed class InterpolateProblem : OperatorProblem
{
    private readonly InterpolationMode mode;
    private readonly bool alignsCorners;

    public InterpolateProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        mode = kernel.Enum<InterpolationMode>();
        alignsCorners = mode == InterpolationMode.Bilinear && kernel.OnceIn(3);
        var (height, width, outputHeight, outputWidth) = Sizes.Resized(draw, kernel, 16);
        if (draw.OnceIn(4))
            (height, width, outputHeight, outputWidth) = (outputHeight, outputWidth, height, width);
        int channels = draw.Of(1, 2, 3, 4, 5, 8, 16, 17);
        int images = draw.Of(1, 1, 2);
        Add("input", new MapShape(images, channels, height, width), Gradients.None);
        AddGradient(new MapShape(images, channels, outputHeight, outputWidth));
    }

    public override string Name => $"Interpolate {mode}{(alignsCorners ? ", aligned corners" : "")}";

    public override ReferenceMap Expected() => ReferenceInterpolation.Resize(
        Operands[0].Values, GradOutput.Shape.Height, GradOutput.Shape.Width, mode, alignsCorners);

    public override bool KeepsNonFinite => mode == InterpolationMode.Nearest;

    public override bool IsLinear(int operand) => true;

    public override void Run<T>(Execution<T> run)
    {
        var (input, output) = (Operands[0].Shape, GradOutput.Shape);
        if (IsIntoOwn)
        {
            Interpolate.Forward(run[0], run.Own(output), mode, alignsCorners);
            Interpolate.Backward(run.GradOutput, run.OwnGradient(0)!, mode, alignsCorners);
            return;
        }
        run.Output(Interpolate.Forward(run[0], output.Height, output.Width, mode, alignsCorners));
        run.Gradient(0, run.Keep(Interpolate.Backward(run.GradOutput, input.Height, input.Width, mode, alignsCorners)));
    }
}

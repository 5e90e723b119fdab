using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

internal sealed class BlendProblem : OperatorProblem
{
    private readonly bool hasGate;

    public BlendProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        hasGate = kernel.OnceIn(2);
        var (height, width, outputHeight, outputWidth) = Sizes.Resized(draw, kernel, OperatorSupport.MaximumScale);
        int channels = draw.Of(1, 2, 3, 4, 5, 8, 16, 17);
        int images = draw.Of(1, 1, 2);
        var encoder = new MapShape(images, channels, outputHeight, outputWidth);
        Add("encoder", encoder, Gradients.None);
        Add("decoder", new MapShape(images, channels, height, width), Gradients.None);
        if (hasGate)
            Add("gate", new MapShape(images, 1, height, width), Gradients.None, magnitude: 4);
        AddGradient(encoder);
    }

    public override string Name => $"QueryBlend{(hasGate ? " gated" : "")}";

    public override ReferenceMap Expected()
    {
        var (encoder, decoder) = (Operands[0].Values, Operands[1].Values);
        return ReferenceMaps.Build(encoder.Shape, (b, c, y, x) =>
        {
            int row = y * decoder.Shape.Height / encoder.Shape.Height;
            int column = x * decoder.Shape.Width / encoder.Shape.Width;
            if (!hasGate)
                return encoder[b, c, y, x] + decoder[b, c, row, column];
            var share = Dual.Sigmoid(Operands[2].Values[b, 0, row, column]);
            return share * encoder[b, c, y, x] + (1 - share) * decoder[b, c, row, column];
        });
    }

    public override void Run<T>(Execution<T> run)
    {
        var gate = hasGate ? run[2] : null;
        if (IsIntoOwn)
        {
            QueryBlend.Forward(run[0], run[1], gate, run.Own(GradOutput.Shape));
            QueryBlend.Backward(
                run[0], run[1], gate, run.GradOutput, hasGate ? run.OwnGradient(0) : null, run.OwnGradient(1)!, hasGate ? run.OwnGradient(2) : null);
            return;
        }
        run.Output(QueryBlend.Forward(run[0], run[1], gate));
        var gradients = run.Keep(QueryBlend.Backward(run[0], run[1], gate, run.GradOutput));
        run.Gradient(1, gradients.Decoder);
        if (!hasGate)
            return;
        run.Gradient(0, gradients.Encoder);
        run.Gradient(2, gradients.Gate);
    }
}

using SapaGpu.Fuzz.Running;
using Moving = SapaGpu.Tests.ReferenceCrossTangent.Moving;

namespace SapaGpu.Fuzz.Problems;

/// <summary>
/// The double backward of <see cref="CrossAttention"/>. With S = ⟨gradients of the operands, directions⟩, the gradient of S by the
/// gradient of the output is the derivative of the output in these directions, here the output; the gradients of its product
/// with the gradient are those of S and, of the directions, the first gradients.
/// </summary>
internal sealed class CrossSecondProblem : OperatorProblem
{
    private const int Bias = 3;

    private readonly CrossSizes sizes;
    private readonly int[] directions;

    public CrossSecondProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        sizes = new(draw, kernel);
        Add("query", sizes.Query, Gradients.Query);
        Add("key", sizes.Key, Gradients.Key);
        Add("value", sizes.Value, Gradients.Value);
        if (sizes.HasBias)
            Add("bias", sizes.DrawBias(draw), Gradients.KeyBias);
        directions = [.. Operands.ToArray().Select(AddDirection)];
        AddGradient(sizes.Output);

        int AddDirection(Operand operand)
        {
            if (draw.OnceIn(6))
                return -1;
            Add($"direction of {operand.Name}", operand.Shape, Gradients.None);
            return Operands.Count - 1;
        }
    }

    public override string Name => $"CrossAttention, second derivatives, {sizes}";

    // Sums of products of three factors and more, of which some cancel.
    public override double Roundings(ElementType type, bool backward) => 4;

    public override ReferenceMap Expected() => ReferenceCrossTangent.Attention(
        Of(0), Of(1), Of(2), sizes.HasBias ? Of(Bias) : null, sizes.Taps.Rows, sizes.Taps.Columns, sizes.Options);

    public override void Run<T>(Execution<T> run)
    {
        var ranges = sizes.CreateRanges();
        var bias = sizes.HasBias ? run[Bias] : null;
        CrossAttention.Forward(run[0], run[1], run[2], ranges, sizes.Options, bias, out var context).Dispose();
        using (context)
        {
            var first = run.Keep(CrossAttention.Backward(context, run.GradOutput));
            var second = run.Keep(CrossAttention.DoubleBackward(
                context,
                run.GradOutput,
                Direction(0),
                Direction(1),
                Direction(2),
                sizes.HasBias ? Direction(Bias) : null,
                Wanted | Gradients.GradOutput));
            run.Output(second.GradOutput!);
            Take(0, second.Query, first.Query);
            Take(1, second.Key, first.Key);
            Take(2, second.Value, first.Value);
            if (sizes.HasBias)
                Take(Bias, second.KeyBias, first.KeyBias);
        }

        FeatureMap<T>? Direction(int operand) => directions[operand] < 0 ? null : run[directions[operand]];

        void Take(int operand, FeatureMap<T>? ofOperand, FeatureMap<T>? ofDirection)
        {
            run.Gradient(operand, ofOperand);
            run.Gradient(directions[operand], ofDirection);
        }
    }

    private Moving Of(int operand) => new(
        Operands[operand].Values, directions[operand] < 0 ? null : Operands[directions[operand]].Values);
}

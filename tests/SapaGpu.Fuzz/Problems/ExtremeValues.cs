using System.Globalization;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>Replaces values of a problem by extreme ones, and says by which.</summary>
internal sealed class ExtremeValues(OperatorProblem problem, ElementType type, Draw draw)
{
    private double Largest => type switch
    {
        ElementType.Float64 => double.MaxValue,
        ElementType.Float16 => (double)Half.MaxValue,
        _ => float.MaxValue,
    };

    private double Smallest => type switch
    {
        ElementType.Float64 => double.Epsilon,
        ElementType.Float16 => (double)Half.Epsilon,
        ElementType.BFloat16 => Math.ScaleB(1, -133),
        _ => float.Epsilon,
    };

    /// <summary>Puts NaN, infinities and zeros into some operands, in the images up to one.</summary>
    public string Spoil(int lastImage)
    {
        double[] specials = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0.0, -0.0, Smallest];
        var changes = new List<string>();
        for (int count = draw.Int(1, 3); count > 0; count--)
        {
            var operand = draw.Among(problem.Operands);
            if (operand.IsParameter && lastImage == 0)
                continue;
            int length = operand.Values.Values.Length;
            int images = (int)Math.Min(operand.Shape.Batch, lastImage + 1L);
            int at = draw.Int(0, length / operand.Shape.Batch * images - 1);
            double value = draw.Of(specials);
            operand.Values.Values[at] = value;
            changes.Add(string.Create(CultureInfo.InvariantCulture, $"{operand.Name}[{at}] = {value}"));
        }
        return $"with {string.Join(", ", changes)}";
    }

    /// <summary>Multiplies an operand, which the output is linear in if it becomes large.</summary>
    public string Scale()
    {
        // Not offsets: next to a whole coordinate, rounding decides in which cell a point is.
        int number = draw.Int(0, problem.Operands.FindLastIndex(operand => operand.Name != "offsets"));
        var operand = problem.Operands[number];
        double scale = problem.IsLinear(number) && draw.OnceIn(2)
            ? Largest / Math.ScaleB(1, type == ElementType.Float16 ? 8 : 20)
            : Smallest * draw.Of(1, 16, 1024);
        for (int i = 0; i < operand.Values.Values.Length; i++)
            operand.Values.Values[i] = operand.Values.Values[i].Value * scale;
        problem.RoundTo(type);
        return string.Create(CultureInfo.InvariantCulture, $"with {operand.Name} · {scale}");
    }

    /// <summary>
    /// Makes scores large that are exact in every type: one channel of a query is a power of 2, the others are 0. Null
    /// where a problem has no scores of this kind, or the reference has no numbers for their weights.
    /// </summary>
    public string? TryEnlargeScores()
    {
        if (problem is not AttentionProblem { HasLogisticWeights: false })
            return null;
        var query = problem.Operands[0].Values;
        int power = draw.Int(0, type == ElementType.Float16 ? 14 : 60);
        var shape = query.Shape;
        var enlarged = ReferenceMaps.Build(shape, (_, _, _, _) => 0);
        for (int b = 0; b < shape.Batch; b++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                    enlarged[b, draw.Int(0, shape.Channels - 1), y, x] = Math.ScaleB(draw.Of(1, -1), power);
            }
        }
        enlarged.Values.CopyTo(query.Values, 0);
        return $"with queries of ±2^{power} in one channel";
    }
}

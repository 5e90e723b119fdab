using System.Globalization;

namespace SapaGpu.Cli.Guided;

/// <summary>Numbers in single precision, in which maps are averaged, and what that costs.</summary>
internal sealed class SinglePrecision
{
    /// <summary>The error, as a fraction of the range of the numbers, that is worth a warning.</summary>
    private const double NotableError = 1e-5;

    private readonly double largestError;
    private readonly double range;
    private readonly bool overflows;

    private SinglePrecision(float[] values, double largestError, double range, bool overflows)
    {
        Values = values;
        this.largestError = largestError;
        this.range = range;
        this.overflows = overflows;
    }

    /// <summary>The numbers.</summary>
    public float[] Values { get; }

    /// <summary>Whether every number is held exactly.</summary>
    public bool IsExact => largestError == 0 && !overflows;

    /// <summary>Converts numbers.</summary>
    /// <param name="numbers">The numbers.</param>
    /// <param name="marks">The marks of missing values, which are no quantities.</param>
    public static SinglePrecision Of(double[] numbers, RequestedMarks marks)
    {
        double error = 0, low = double.PositiveInfinity, high = double.NegativeInfinity;
        bool overflows = false;
        var values = new float[numbers.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)numbers[i];
            if (!double.IsFinite(numbers[i]) || marks.Include(values[i]))
                continue;
            if (!float.IsFinite(values[i]))
            {
                overflows = true;
                continue;
            }
            error = Math.Max(error, Math.Abs(values[i] - numbers[i]));
            low = Math.Min(low, numbers[i]);
            high = Math.Max(high, numbers[i]);
        }
        return new SinglePrecision(values, error, high - low, overflows);
    }

    /// <summary>What is lost, for a warning; null if it is nothing worth telling.</summary>
    /// <exception cref="InvalidDataException">Numbers are beyond the range of single precision.</exception>
    public string? DescribeLoss(string name)
    {
        if (overflows)
        {
            throw new InvalidDataException(
                $"{name}: values beyond 3.4e38 are out of the range of single precision (float32), in which maps are " +
                "averaged; scale them, or use --method nearest, which keeps them.");
        }
        return largestError <= NotableError * range ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: the values need more than single precision (float32), in which maps are averaged; they are up " +
            $"to {largestError:0.##e+0} off. Subtract an offset from them, or use --method nearest, which keeps them.");
    }
}

using SapaGpu.Cli.Benchmarking;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>Whether two implementations of an operator agree.</summary>
internal static class SampleComparison
{
    /// <summary>The largest difference of two results, as a share of the largest expected value; NaN where one is NaN.</summary>
    public static double LargestError(HostArray actual, HostArray expected)
    {
        double largest = 0;
        double magnitude = 0;
        for (int i = 0; i < expected.Values.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(actual.Values[i] - expected.Values[i]));
            magnitude = Math.Max(magnitude, Math.Abs(expected.Values[i]));
        }
        return magnitude > 0 ? largest / magnitude : largest;
    }

    /// <summary>The largest error of all results of a pass.</summary>
    public static double LargestError(Pass pass, OperatorSample actual, OperatorSample expected) =>
        pass == Pass.Forward
            ? LargestError(actual.Output, expected.Output)
            : actual.Gradients.Zip(expected.Gradients, LargestError).Max();

    /// <summary>
    /// What rounding explains: sums of some hundred values in single precision, and 16-bit results rounded once.
    /// </summary>
    public static double Tolerance(ElementType type) => type switch
    {
        ElementType.Float64 => 1e-11,
        ElementType.Float32 => 1e-4,
        ElementType.Float16 => 4e-3,
        _ => 3e-2,
    };
}

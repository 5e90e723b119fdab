using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>Whether two implementations of an operator agree.</summary>
internal static class SampleComparison
{
    /// <summary>
    /// The largest difference of two results, as a share of the largest expected value; NaN where one is NaN.
    /// </summary>
    public static double LargestError(HostArray actual, HostArray expected) =>
        LargestError(actual, expected, Magnitude(expected));

    /// <summary>
    /// The result of a pass that is farthest off, and its error. A gradient that almost cancels
    /// is compared at the scale of the gradient of the output, as the bounds of the test vectors are.
    /// </summary>
    public static (string Result, double Error) Worst(Pass pass, OperatorSample actual, OperatorSample expected) =>
        pass == Pass.Forward
            ? ("output", LargestError(actual.Output, expected.Output))
            : Worst(actual.Gradients.Zip(
                expected.Gradients,
                (own, other) => (
                    $"gradient of {other.Name}",
                    LargestError(own, other, Math.Max(Magnitude(other), Magnitude(expected.GradOutput))))));

    /// <summary>The result that is farthest off; one that is NaN is farthest.</summary>
    public static (string Result, double Error) Worst(IEnumerable<(string Result, double Error)> results) =>
        results.MaxBy(result => double.IsNaN(result.Error) ? double.PositiveInfinity : result.Error);

    /// <summary>
    /// What rounding explains: sums of some hundred values in single precision, 16-bit results rounded once, and gradients
    /// of parameters, which are sums of such results over all pixels.
    /// </summary>
    public static double Tolerance(ElementType type) => type switch
    {
        ElementType.Float64 => 1e-11,
        ElementType.Float32 => 1e-4,
        ElementType.Float16 => 6e-3,
        _ => 3e-2,
    };

    private static double LargestError(HostArray actual, HostArray expected, double magnitude)
    {
        double largest = actual.Values.Zip(expected.Values, (own, other) => Math.Abs(own - other)).Aggregate(
            0.0, Math.Max);
        return magnitude > 0 ? largest / magnitude : largest;
    }

    private static double Magnitude(
        HostArray array) => array.Values.Aggregate(0.0, (most, value) => Math.Max(most, Math.Abs(value)));
}

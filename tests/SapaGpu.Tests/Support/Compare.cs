using NUnit.Framework;

namespace SapaGpu.Tests;

/// <summary>How near a result has to come: one place for every operator, precision and direction.</summary>
public static class Tolerances
{
    /// <summary>
    /// The allowed error as a share of the largest expected magnitude, or of 1 where that is smaller.
    /// </summary>
    public static double Relative<T>(bool backward)
        where T : unmanaged => (ElementTypes.Of<T>(), backward) switch
        {
            (ElementType.Float64, false) => 1e-12,
            (ElementType.Float64, true) => 1e-11,
            (ElementType.Float32, false) => 1e-5,
            (ElementType.Float32, true) => 3e-5,

            // Half a unit in the last place is 2⁻¹¹ and 2⁻⁸; gradients may be rounded once for every head.
            (ElementType.Float16, false) => 5.2e-4,
            (ElementType.Float16, true) => 1.1e-3,
            (ElementType.BFloat16, false) => 4.1e-3,
            _ => 8.5e-3,
        };
}

/// <summary>Comparisons that say, when they fail, how far off the worst value is, where, and how many are.</summary>
public static class Compare
{
    public static void Forward<T>(FeatureMap<T> actual, ReferenceMap expected, string what)
        where T : unmanaged => AllClose<T>(Values(actual), expected.ToArray(), expected.Shape, backward: false, what);

    public static void Forward<T>(double[] actual, ReferenceMap expected, string what)
        where T : unmanaged => AllClose<T>(actual, expected.ToArray(), expected.Shape, backward: false, what);

    public static void Backward<T>(FeatureMap<T> actual, double[] expected, string what)
        where T : unmanaged => AllClose<T>(Values(actual), expected, actual.Shape, backward: true, what);

    public static void Backward<T>(double[] actual, double[] expected, MapShape shape, string what)
        where T : unmanaged => AllClose<T>(actual, expected, shape, backward: true, what);

    public static void Backward<T>(Parameter actual, double[] expected, string what)
        where T : unmanaged => AllClose<T>(actual.Read(), expected, actual.Value.Shape, backward: true, what);

    /// <summary>The values of a tensor, contiguous, in double precision.</summary>
    public static double[] Values<T>(FeatureMap<T> tensor)
        where T : unmanaged => Array.ConvertAll(
        tensor.ToArray(MemoryFormat.Contiguous), ElementTypes.ToDouble);

    /// <summary>Two tensors are the same to the last bit.</summary>
    public static void Bitwise<T>(T[] actual, T[] expected, string what)
        where T : unmanaged
    {
        var actualBytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(actual.AsSpan());
        var expectedBytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(expected.AsSpan());
        if (!actualBytes.SequenceEqual(expectedBytes))
        {
            int at = actualBytes.CommonPrefixLength(expectedBytes) / System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
            Assert.Fail($"{what}: element {at} is {actual[at]:r}, and was {expected[at]:r} before");
        }
    }

    /// <summary>What differs by more than so many tolerances, in words; null if nothing does.</summary>
    public static string? Difference<T>(
        double[] actual, double[] expected, MapShape shape, bool backward, double tolerances = 1)
        where T : unmanaged
    {
        if (actual.Length != expected.Length)
            return $"{actual.Length} values, expected {expected.Length}";
        double magnitude = 1;
        foreach (double value in expected)
            magnitude = Math.Max(magnitude, Math.Abs(value));
        double bound = magnitude * tolerances * Tolerances.Relative<T>(backward);
        double worst = 0;
        int at = -1;
        int failing = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]);
            if (error <= bound)
                continue;
            failing++;
            if (at < 0 || !(error <= worst))
            {
                worst = error;
                at = i;
            }
        }
        if (failing == 0)
            return null;
        int x = at % shape.Width;
        int y = at / shape.Width % shape.Height;
        int c = at / shape.Width / shape.Height % shape.Channels;
        int b = at / shape.Width / shape.Height / shape.Channels;
        return
            $"{failing} of {actual.Length} values are off by more than {bound:e1}; the worst is " +
            $"[{b},{c},{y},{x}]: {actual[at]:g9}, expected {expected[at]:g9}, off by {worst:e2}";
    }

    private static void AllClose<T>(double[] actual, double[] expected, MapShape shape, bool backward, string what)
        where T : unmanaged
    {
        if (Difference<T>(actual, expected, shape, backward) is { } difference)
            Assert.Fail($"{what}: {difference}");
    }
}

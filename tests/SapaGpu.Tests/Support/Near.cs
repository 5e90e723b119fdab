using NUnit.Framework;

namespace SapaGpu.Tests;

/// <summary>
/// How near results of every element type come to those of the reference on the same rounded inputs: as shares of the
/// largest expected magnitude, or of 1 where that is smaller.
/// </summary>
public static class Near
{
    /// <summary>The allowed share; 16-bit types may round what they store a few times, one after the other.</summary>
    public static double Share(ElementType elementType, bool backward) => elementType switch
    {
        ElementType.Float64 => backward ? 1e-11 : 1e-12,
        ElementType.Float32 => backward ? 3e-5 : 1e-5,
        _ => (backward ? 8 : 4) * elementType.Unit(),
    };

    public static void Forward<T>(FeatureMap<T> actual, ReferenceMap expected, string what)
        where T : unmanaged
    {
        Assert.That(actual.Shape, Is.EqualTo(expected.Shape), what);
        Check<T>(Compare.Values(actual), expected.ToArray(), backward: false, what);
    }

    public static void Backward<T>(FeatureMap<T> actual, double[] expected, string what)
        where T : unmanaged => Check<T>(Compare.Values(actual), expected, backward: true, what);

    public static void Check<T>(double[] actual, double[] expected, bool backward, string what)
        where T : unmanaged
    {
        var elementType = ElementTypes.Of<T>();
        Assert.That(actual, Has.Length.EqualTo(expected.Length), what);
        double bound = Share(elementType, backward) * expected.Append(1).Max(Math.Abs);
        int worst = -1;
        for (int i = 0; i < actual.Length; i++)
        {
            // NaN is beyond every bound.
            bool isNear = Math.Abs(actual[i] - expected[i]) <= bound;
            if (!isNear && (worst < 0 || !(Math.Abs(actual[i] - expected[i]) <= Math.Abs(
                actual[worst] - expected[worst]))))
                worst = i;
        }
        if (worst >= 0)
        {
            Assert.Fail(
                $"{what} {elementType.ShortName()}: value {worst} of {actual.Length} is {actual[worst]:g9}, expected " +
                $"{expected[worst]:g9}, off by {Math.Abs(actual[worst] - expected[worst]):e2} of {bound:e1}");
        }
    }
}

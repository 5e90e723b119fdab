using NUnit.Framework;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Every operator and module with vectors of every width, on sizes that fill no whole vectors, against double precision
/// in the narrowest vectors on one thread, which other tests compare with the reference.
/// </summary>
[TestFixture(typeof(double))]
[TestFixture(typeof(float))]
[TestFixture(typeof(Half))]
[TestFixture(typeof(BFloat16))]
public sealed class VectorWidthTests<T>
    where T : unmanaged
{
    private readonly Dictionary<WidthCase, List<WidthResult>> known = [];

    [Test]
    public void Results_do_not_depend_on_the_width_of_vectors(
        [Values(128, 256, 512)] int bits, [Values] MemoryFormat format)
    {
        using var device = ComputeDevice.Open("cpu", new DeviceOptions { VectorBits = bits, Threads = 2 });
        using (Assert.EnterMultipleScope())
        {
            foreach (var operation in WidthCase.All)
                Check(Run<T>(operation, device, format), Expected(operation), $"{operation}, {bits} bits, {format}");
        }
    }

    private static List<WidthResult> Run<TRun>(WidthCase operation, ComputeDevice device, MemoryFormat format)
        where TRun : unmanaged
    {
        using var operands = new WidthOperands<TRun>(device, format, map => map.Rounded<T>());
        operation.Run(operands);
        return operands.Results;
    }

    // As shares of the largest magnitude, also where that is below 1.
    private static void Check(List<WidthResult> actual, List<WidthResult> expected, string what)
    {
        Assert.That(actual.Select(result => result.Name), Is.EqualTo(expected.Select(result => result.Name)), what);
        foreach (var (result, reference) in actual.Zip(expected))
        {
            double unit = reference.Values.Max(Math.Abs);
            Assert.That(unit, Is.GreaterThan(0), $"{result.Name}, {what}");
            Near.Check<T>(
                Array.ConvertAll(result.Values, value => value / unit),
                Array.ConvertAll(reference.Values, value => value / unit),
                result.IsGradient,
                $"{result.Name}, {what}");
        }
    }

    private List<WidthResult> Expected(WidthCase operation)
    {
        if (!known.TryGetValue(operation, out var expected))
        {
            using var device = ComputeDevice.Open("cpu", new DeviceOptions { VectorBits = 128, Threads = 1 });
            expected = Run<double>(operation, device, MemoryFormat.Contiguous);
            known.Add(operation, expected);
        }
        return expected;
    }
}

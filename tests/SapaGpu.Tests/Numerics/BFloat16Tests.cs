using NUnit.Framework;

namespace SapaGpu.Tests.Numerics;

/// <summary>The bfloat16 type.</summary>
[TestFixture]
public sealed class BFloat16Tests
{
    private static IEnumerable<ushort> Patterns => Enumerable.Range(0, 1 << 16).Select(bits => (ushort)bits);

    [Test]
    public void Every_value_survives_widening()
    {
        foreach (ushort bits in Patterns)
        {
            float value = BFloat16.FromBits(bits);
            if (float.IsNaN(value))
                Assert.That(float.IsNaN((BFloat16)value) && float.IsNaN((BFloat16)(double)value), $"{bits:x4}");
            else if (((BFloat16)value).ToBits() != bits || ((BFloat16)(double)value).ToBits() != bits)
                Assert.Fail($"{bits:x4} came back as {((BFloat16)value).ToBits():x4}");
        }
    }

    [Test]
    public void Numbers_are_rounded_to_the_nearest_and_between_two_to_the_even_one()
    {
        for (int bits = 0; bits < 0x7f7f; bits++)
        {
            double low = BFloat16.FromBits((ushort)bits);
            double high = BFloat16.FromBits((ushort)(bits + 1));
            double middle = (low + high) / 2;
            int even = bits % 2 == 0 ? bits : bits + 1;
            if (Bits(middle) != even || Bits(Math.BitDecrement(middle)) != bits || Bits(
                Math.BitIncrement(middle)) != bits + 1)
                Assert.Fail($"around {middle:r}, between {bits:x4} and the next");
            if (Bits(-middle) != (even | 0x8000) || Bits(-Math.BitIncrement(middle)) != ((bits + 1) | 0x8000))
                Assert.Fail($"around {-middle:r}");
            float single = (float)middle;
            if (((BFloat16)single).ToBits() != even || ((BFloat16)MathF.BitIncrement(single)).ToBits() != bits + 1)
                Assert.Fail($"around {single:r} in single precision");
        }

        static int Bits(double value) => ((BFloat16)value).ToBits();
    }

    [TestCase(1e39, 0x7f80)]
    [TestCase(-1e300, 0xff80)]
    [TestCase(3.3961775292304601e38, 0x7f80)]
    [TestCase(3.396177529230459e38, 0x7f7f)]
    [TestCase(double.PositiveInfinity, 0x7f80)]
    [TestCase(1e-300, 0)]
    [TestCase(-1e-300, 0x8000)]
    [TestCase(-0.0, 0x8000)]
    public void What_does_not_fit_becomes_infinite_or_zero(double value, int bits) =>
        Assert.That(((BFloat16)value).ToBits(), Is.EqualTo(bits));

    [Test]
    public void Equality_is_that_of_numbers()
    {
        var one = (BFloat16)1f;
        var zero = (BFloat16)0f;
        var minusZero = (BFloat16)(-0f);
        var nan = (BFloat16)float.NaN;
        Assert.That(one == (BFloat16)1.0 && one != zero && zero == minusZero);
        Assert.That(zero.Equals(minusZero) && zero.GetHashCode() == minusZero.GetHashCode());
        Assert.That(nan != BFloat16.FromBits(nan.ToBits()) && nan.Equals(nan) && nan.Equals((object)nan));
        Assert.That(one.Equals("1"), Is.False);
        Assert.That(one.ToString(), Is.EqualTo("1"));
    }
}

using NUnit.Framework;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Tests.Numerics;

/// <summary>The exponential and logarithm of the kernels against those of the framework in higher precision.</summary>
[TestFixture]
public sealed class ElementMathTests
{
    [Test]
    public void The_exponential_is_within_two_units_in_the_last_place()
    {
        var random = new Random(1);
        for (int i = 0; i < 1_000_000; i++)
        {
            double x = random.NextDouble() * 88 - 87;
            double single = Math.Exp((float)x);
            Assert.That(
                SingleMath.Exp((float)x), Is.EqualTo(single).Within(2 * Unit(single, 23)), $"exp({(float)x:r})");
            double reference = Math.Exp(8 * x);
            Assert.That(
                DoubleMath.Exp(8 * x), Is.EqualTo(reference).Within(3 * Unit(reference, 52)), $"exp({8 * x:r})");
        }
    }

    [Test]
    public void The_logarithm_of_sums_of_weights_is_accurate()
    {
        var random = new Random(2);
        for (int i = 0; i < 100_000; i++)
        {
            double x = 1 + random.NextDouble() * 224;
            Assert.That(SingleMath.Log((float)x), Is.EqualTo(Math.Log((float)x)).Within(5e-7), $"log({(float)x:r})");
            Assert.That(DoubleMath.Log(x), Is.EqualTo(Math.Log(x)).Within(1e-14), $"log({x:r})");
        }
    }

    // Here the functions of base 2 are the framework's; what is left is the rounded product.
    [Test]
    public void Functions_for_sixteen_bits_are_within_their_bounds()
    {
        var random = new Random(4);
        for (int i = 0; i < 100_000; i++)
        {
            float x = (float)(random.NextDouble() * 88 - 87);
            double power = Math.Exp(x);
            Assert.That(
                NarrowMath.Exp(x), Is.EqualTo(power).Within((2 + Math.Abs(x)) * Math.ScaleB(power, -23)), $"exp({x:r})");
            float sum = (float)(1 + random.NextDouble() * 224);
            double logarithm = Math.Log(sum);
            Assert.That(
                NarrowMath.Log(sum), Is.EqualTo(logarithm).Within(Math.ScaleB(Math.Max(1, logarithm), -21)), $"log({sum:r})");
        }
        Assert.That(NarrowMath.Exp(float.NegativeInfinity), Is.Zero);
        Assert.That(NarrowMath.Exp(float.NaN), Is.NaN);
        Assert.That(NarrowMath.Log(1), Is.Zero);
    }

    [TestCase(1.0)]
    [TestCase(10.0)]
    [TestCase(1000.0)]
    public void Sine_and_cosine_are_accurate(double largest)
    {
        var random = new Random(3);
        for (int i = 0; i < 100_000; i++)
        {
            double x = (2 * random.NextDouble() - 1) * largest;
            float single = (float)x;
            Assert.That(SingleMath.Sin(single), Is.EqualTo(Math.Sin(single)).Within(2e-7), $"sin({single:r})");
            Assert.That(SingleMath.Cos(single), Is.EqualTo(Math.Cos(single)).Within(2e-7), $"cos({single:r})");
            Assert.That(DoubleMath.Sin(x), Is.EqualTo(Math.Sin(x)).Within(1e-15), $"sin({x:r})");
            Assert.That(DoubleMath.Cos(x), Is.EqualTo(Math.Cos(x)).Within(1e-15), $"cos({x:r})");
        }
    }

    [Test]
    public void Ends_of_the_range_are_what_a_softmax_needs()
    {
        Assert.That(SingleMath.Exp(0), Is.EqualTo(1f));
        Assert.That(DoubleMath.Exp(0), Is.EqualTo(1.0));
        Assert.That(SingleMath.Exp(float.NegativeInfinity), Is.Zero);
        Assert.That(DoubleMath.Exp(double.NegativeInfinity), Is.Zero);
        Assert.That(SingleMath.Exp(float.NaN), Is.NaN);
        Assert.That(DoubleMath.Exp(double.NaN), Is.NaN);
        Assert.That(SingleMath.Log(1), Is.Zero);
        Assert.That(DoubleMath.Log(1), Is.Zero);
    }

    private static double Unit(double value, int digits) => Math.ScaleB(1, Math.ILogB(value) - digits);
}

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using NUnit.Framework;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;

namespace SapaGpu.Tests.Numerics;

/// <summary>
/// The conversions of the 16-bit formats: halves against those of .NET, bfloat16 against exact rounding, the vector
/// versions against the scalar ones.
/// </summary>
[TestFixture]
public sealed class NarrowFloatTests
{
    private const int Patterns = 1 << 16;

    /// <summary>
    /// Gets floats that are hard to round: every value of both formats, the middle between every two of them with its
    /// neighbours on both sides, the ends of the range, and random bit patterns.
    /// </summary>
    private static readonly float[] Floats = [.. HardToRound()];

    [Test]
    public void Every_half_widens_exactly_and_rounds_back()
    {
        for (int i = 0; i < Patterns; i++)
        {
            var expected = BitConverter.UInt16BitsToHalf((ushort)i);
            float actual = NarrowFloat.FromHalf((ushort)i);
            if (Half.IsNaN(expected))
            {
                Assert.That(actual, Is.NaN, $"{i:x4}");
                Assert.That(IsHalfNaN(NarrowFloat.ToHalf(actual)), $"{i:x4}");
                continue;
            }
            Assert.That(Bits(actual), Is.EqualTo(Bits((float)expected)), $"{i:x4}");
            Assert.That(NarrowFloat.ToHalf(actual), Is.EqualTo(i), $"{i:x4}");
        }
    }

    [Test]
    public void Every_bfloat16_widens_exactly_and_rounds_back()
    {
        for (int i = 0; i < Patterns; i++)
        {
            float actual = NarrowFloat.FromBFloat16((ushort)i);
            Assert.That(Bits(actual), Is.EqualTo((uint)i << 16), $"{i:x4}");
            if (float.IsNaN(actual))
                Assert.That(NarrowFloat.FromBFloat16(NarrowFloat.ToBFloat16(actual)), Is.NaN, $"{i:x4}");
            else
                Assert.That(NarrowFloat.ToBFloat16(actual), Is.EqualTo(i), $"{i:x4}");
        }
    }

    [Test]
    public void Floats_round_to_the_nearest_half()
    {
        foreach (float value in Floats)
        {
            ushort actual = NarrowFloat.ToHalf(value);
            if (float.IsNaN(value))
                Assert.That(IsHalfNaN(actual), $"{value:r}");
            else
                Assert.That(actual, Is.EqualTo(BitConverter.HalfToUInt16Bits((Half)value)), $"{value:r}");
        }
    }

    [Test]
    public void Floats_round_to_the_nearest_bfloat16()
    {
        foreach (float value in Floats)
        {
            ushort actual = NarrowFloat.ToBFloat16(value);
            if (float.IsNaN(value))
                Assert.That(NarrowFloat.FromBFloat16(actual), Is.NaN, $"{value:r}");
            else
                Assert.That(actual, Is.EqualTo(NearestBFloat16(value)), $"{value:r}");
        }
    }

    [Test]
    public void Doubles_round_to_the_nearest_bfloat16_at_once()
    {
        // In single precision all of these would first become a tie.
        foreach (double unit in new[] { 1, Math.ScaleB(1, -130), Math.ScaleB(1, 100) })
        {
            foreach (int sign in new[] { 1, -1 })
            {
                double above = sign * unit * (1 + Math.ScaleB(1, -8) + Math.ScaleB(1, -40));
                double below = sign * unit * (1 + 3 * Math.ScaleB(1, -8) - Math.ScaleB(1, -40));
                Assert.That(Round(above), Is.EqualTo(NearestBFloat16(above)), $"{above:r}");
                Assert.That(Round(below), Is.EqualTo(NearestBFloat16(below)), $"{below:r}");
            }
        }
        foreach (double value in new[] { 1e300, -1e300, double.PositiveInfinity, double.NegativeInfinity, 1e-320, 0.0, -0.0 })
            Assert.That(Round(value), Is.EqualTo(NearestBFloat16(value)), $"{value:r}");
        Assert.That((float)(BFloat16)double.NaN, Is.NaN);
        foreach (float value in Floats.Where(v => !float.IsNaN(v)))
            Assert.That(Round(value), Is.EqualTo(NearestBFloat16(value)), $"{value:r}");

        static ushort Round(double value) => ((BFloat16)value).ToBits();
    }

    [Test]
    public void Vectors_convert_halves_as_scalars_do([Values(128, 256, 512)] int bits)
    {
        if (bits == 128)
            Check<Float16Element, NarrowSimd<Float16Element, Simd128<float>, Vector128<float>>, Vector128<float>>();
        else if (bits == 256)
            Check<Float16Element, NarrowSimd<Float16Element, Simd256<float>, Vector256<float>>, Vector256<float>>();
        else
            Check<Float16Element, NarrowSimd<Float16Element, Simd512<float>, Vector512<float>>, Vector512<float>>();
    }

    [Test]
    public void Vectors_convert_bfloat16_as_scalars_do([Values(128, 256, 512)] int bits)
    {
        if (bits == 128)
            Check<BFloat16Element, NarrowSimd<BFloat16Element, Simd128<float>, Vector128<float>>, Vector128<float>>();
        else if (bits == 256)
            Check<BFloat16Element, NarrowSimd<BFloat16Element, Simd256<float>, Vector256<float>>, Vector256<float>>();
        else
            Check<BFloat16Element, NarrowSimd<BFloat16Element, Simd512<float>, Vector512<float>>, Vector512<float>>();
    }

    private static void Check<TElement, TSimd, TVector>()
        where TElement : struct, IElement<ushort, float>
        where TSimd : struct, ISimd<ushort, float, TVector>
        where TVector : struct
    {
        CheckWidening<TElement, TSimd, TVector>();
        CheckRounding<TElement, TSimd, TVector>();
    }

    private static unsafe void CheckWidening<TElement, TSimd, TVector>()
        where TElement : struct, IElement<ushort, float>
        where TSimd : struct, ISimd<ushort, float, TVector>
        where TVector : struct
    {
        int lanes = TSimd.Lanes;
        var wide = new float[2 * lanes];
        var even = new float[lanes];
        var odd = new float[lanes];
        var narrow = new ushort[2 * lanes];
        fixed (float* wideStart = wide, evenStart = even, oddStart = odd)
        fixed (ushort* narrowStart = narrow)
        {
            for (int first = 0; first < Patterns; first += 2 * lanes)
            {
                for (int lane = 0; lane < 2 * lanes; lane++)
                    narrow[lane] = (ushort)(first + lane);
                TSimd.Store(wideStart, TSimd.LoadStorage(narrowStart));
                TSimd.Store(wideStart + lanes, TSimd.LoadStorage(narrowStart + lanes));
                TSimd.Store(evenStart, TSimd.LoadEven(narrowStart));
                TSimd.Store(oddStart, TSimd.LoadOdd(narrowStart));
                for (int lane = 0; lane < 2 * lanes; lane++)
                {
                    float expected = TElement.Load(narrow[lane]);
                    if (float.IsNaN(expected))
                        Assert.That(wide[lane], Is.NaN, $"{narrow[lane]:x4}");
                    else
                        Assert.That(Bits(wide[lane]), Is.EqualTo(Bits(expected)), $"{narrow[lane]:x4}");
                    float parted = lane % 2 == 0 ? even[lane / 2] : odd[lane / 2];
                    Assert.That(Bits(parted), Is.EqualTo(Bits(wide[lane])), $"{narrow[lane]:x4}");
                }
            }
        }
    }

    private static unsafe void CheckRounding<TElement, TSimd, TVector>()
        where TElement : struct, IElement<ushort, float>
        where TSimd : struct, ISimd<ushort, float, TVector>
        where TVector : struct
    {
        int lanes = TSimd.Lanes;
        var single = new ushort[2 * lanes];
        var pair = new ushort[2 * lanes];
        var streamed = (ushort*)NativeMemory.AlignedAlloc((nuint)(2 * lanes * sizeof(ushort)), 64);
        fixed (float* wide = Floats)
        fixed (ushort* singleStart = single, pairStart = pair)
        {
            for (int first = 0; first + 2 * lanes <= Floats.Length; first += 2 * lanes)
            {
                var low = TSimd.Load(wide + first);
                var high = TSimd.Load(wide + first + lanes);
                TSimd.StoreStorage(singleStart, low);
                TSimd.StoreStorage(singleStart + lanes, high);
                TSimd.StoreStorage(pairStart, low, high);
                TSimd.StreamStorage(streamed, low, high);
                for (int lane = 0; lane < 2 * lanes; lane++)
                {
                    float value = wide[first + lane];
                    if (float.IsNaN(value))
                        Assert.That(TElement.Load(single[lane]), Is.NaN, $"{Bits(value):x8}");
                    else
                        Assert.That(single[lane], Is.EqualTo(TElement.Store(value)), $"{value:r}");
                }
                Assert.That(pair, Is.EqualTo(single));
                Assert.That(new ReadOnlySpan<ushort>(streamed, 2 * lanes).SequenceEqual(single), $"{first}");
                TSimd.StreamStorage(streamed, low);
                TSimd.StreamStorage(streamed + lanes, high);
                Assert.That(new ReadOnlySpan<ushort>(streamed, 2 * lanes).SequenceEqual(single), $"{first}");
                TSimd.StoreZipped(pairStart, low, high);
                TSimd.StreamZipped(streamed, low, high);
                for (int lane = 0; lane < 2 * lanes; lane++)
                    Assert.That(pair[lane], Is.EqualTo(single[lane / 2 + lane % 2 * lanes]), $"{first}");
                Assert.That(new ReadOnlySpan<ushort>(streamed, 2 * lanes).SequenceEqual(pair), $"{first}");
            }
        }
        NativeMemory.AlignedFree(streamed);
    }

    private static IEnumerable<float> HardToRound()
    {
        for (int i = 0; i < Patterns; i++)
        {
            float half = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            float next = (float)BitConverter.UInt16BitsToHalf((ushort)(i + 1));
            foreach (float value in Around(half).Concat(Around((half + next) / 2)))
                yield return value;
            foreach (float value in Around(BitConverter.UInt32BitsToSingle((uint)i << 16 | 0x8000u)))
                yield return value;
        }
        float[] ends =
        [
            65504, 65519.996f, 65520, 65536, float.MaxValue, float.Epsilon, 1.1754942e-38f, 0, -0f,
            float.PositiveInfinity, float.NegativeInfinity, float.NaN, BitConverter.UInt32BitsToSingle(0x7F800001),
            BitConverter.UInt32BitsToSingle(0xFFFFFFFF),
        ];
        foreach (float value in ends)
            yield return value;
        var random = new Random(1);
        for (int i = 0; i < 200_000; i++)
            yield return BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
    }

    private static float[] Around(float value) => [MathF.BitDecrement(value), value, MathF.BitIncrement(value)];

    // The nearer of the two values around a number, or the even one of two that are equally near.
    private static ushort NearestBFloat16(double value)
    {
        double magnitude = Math.Abs(value);
        int low = 0;
        int high = 0x7F80;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            if (Magnitude(middle) <= magnitude)
                low = middle;
            else
                high = middle;
        }
        double below = magnitude - Magnitude(low);
        double above = Magnitude(high) - magnitude;
        int nearest = below < above || (below == above && low % 2 == 0) ? low : high;
        return (ushort)(nearest | (double.IsNegative(value) ? 0x8000 : 0));
    }

    // Past the largest number the format goes on as if its exponent did.
    private static double Magnitude(int bits) =>
        bits == 0x7F80 ? Math.ScaleB(1, 128) : BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static bool IsHalfNaN(ushort bits) => Half.IsNaN(BitConverter.UInt16BitsToHalf(bits));

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);
}

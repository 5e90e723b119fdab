using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Policies;

/// <summary>Where an output sample is taken from. The arithmetic is on whole numbers, so no place is rounded.</summary>
internal interface ISampling
{
    /// <summary>Gets whether an output sample may lie between two input samples; if not, it is a copy of one.</summary>
    static abstract bool Blends { get; }

    /// <summary>The place of an output sample.</summary>
    static abstract SamplePosition Locate(in SampleAxis axis, int output);

    /// <summary>An output sample that does not come after the first one that an input sample contributes to.</summary>
    static abstract int First(in SampleAxis axis, int input);

    /// <summary>An output sample that comes after the last one that an input sample contributes to.</summary>
    static abstract int End(in SampleAxis axis, int input);
}

/// <summary>The nearest sample, ⌊output·H/OH⌋.</summary>
internal readonly struct NearestSampling : ISampling
{
    public static bool Blends => false;

    public static SamplePosition Locate(in SampleAxis axis, int output)
    {
        int low = (int)WholeNumber.Quotient((long)output * axis.Input, axis.Output);
        return new SamplePosition { Low = low, High = low, Numerator = 0, Denominator = 1 };
    }

    public static int First(in SampleAxis axis, int input) =>
        (int)WholeNumber.Quotient((long)input * axis.Output + axis.Input - 1, axis.Input);

    public static int End(in SampleAxis axis, int input) => First(in axis, input + 1);
}

/// <summary>
/// Linear between two samples: the place is (output + ½)·H/OH − ½, at least 0, or with aligned corners
/// output·(H − 1)/(OH − 1).
/// </summary>
internal readonly struct LinearSampling : ISampling
{
    public static bool Blends => true;

    public static SamplePosition Locate(in SampleAxis axis, int output)
    {
        long numerator;
        long denominator;
        if (axis.AlignCorners != 0)
        {
            numerator = (long)output * (axis.Input - 1);
            denominator = axis.Output > 1 ? axis.Output - 1 : 1;
        }
        else
        {
            numerator = (2L * output + 1) * axis.Input - axis.Output;
            numerator = numerator > 0 ? numerator : 0;
            denominator = 2L * axis.Output;
        }
        long low = WholeNumber.Quotient(numerator, denominator);
        return new SamplePosition
        {
            Low = (int)low,
            High = (int)(low < axis.Input - 1 ? low + 1 : low),
            Numerator = (int)(numerator - low * denominator),
            Denominator = (int)denominator,
        };
    }

    public static int First(in SampleAxis axis, int input)
    {
        if (input == 0)
            return 0;
        long first = axis.AlignCorners != 0
            ? axis.Input > 1 ? WholeNumber.Quotient((long)(input - 1) * (axis.Output - 1), axis.Input - 1) : 0
            : (WholeNumber.Quotient((2L * input - 1) * axis.Output, axis.Input) - 1) / 2 - 1;
        return first > 0 ? (int)first : 0;
    }

    public static int End(in SampleAxis axis, int input)
    {
        if (input == axis.Input - 1)
            return axis.Output;
        long end = axis.AlignCorners != 0
            ? WholeNumber.Quotient((long)(input + 1) * (axis.Output - 1), axis.Input - 1) + 1
            : (WholeNumber.Quotient((2L * input + 3) * axis.Output, axis.Input) - 1) / 2 + 2;
        return end < axis.Output ? (int)end : axis.Output;
    }
}

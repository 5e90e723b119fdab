using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>Between which input samples every output sample of an axis lies, computed once for many rows.</summary>
internal readonly unsafe ref struct SampleTable<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public SampleTable(ref ScratchAllocator scratch, in SampleAxis axis)
    {
        Low = scratch.Take<int>(axis.Output);
        High = scratch.Take<int>(axis.Output);
        Fraction = scratch.Take<TReal>(axis.Output);
    }

    /// <summary>Gets the sample before every output sample.</summary>
    public int* Low { get; }

    /// <summary>Gets the sample after it.</summary>
    public int* High { get; }

    /// <summary>Gets the fraction from one to the other.</summary>
    public TReal* Fraction { get; }

    public void Fill<TSampling>(in SampleAxis axis)
        where TSampling : struct, ISampling
    {
        for (int output = 0; output < axis.Output; output++)
        {
            var position = TSampling.Locate(in axis, output);
            Low[output] = position.Low;
            High[output] = position.High;
            Fraction[output] = FractionOf(in position);
        }
    }

    public static TReal FractionOf(in SamplePosition position) =>
        TReal.CreateTruncating(position.Numerator) / TReal.CreateTruncating(position.Denominator);
}

/// <summary>What every input sample of an axis contributed to which output samples: the transpose of a
/// <see cref="SampleTable{TReal}"/>.</summary>
internal readonly unsafe ref struct BilinearWeightTable<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly int* starts;
    private readonly int* firsts;
    private readonly TReal* bilinearWeights;

    public BilinearWeightTable(ref ScratchAllocator scratch, in SampleAxis axis)
    {
        // An output sample is shared by two input samples at most, and beside them the bounds leave a few to spare.
        starts = scratch.Take<int>(axis.Input + 1);
        firsts = scratch.Take<int>(axis.Input);
        bilinearWeights = scratch.Take<TReal>(Capacity(in axis));
    }

    /// <summary>The bilinear weights of an input sample in the output samples from <see cref="First"/> on.</summary>
    public ReadOnlySpan<TReal> this[int input] => new(bilinearWeights + starts[input], starts[input + 1] - starts[input]);

    public int First(int input) => firsts[input];

    public void Fill<TSampling>(in SampleAxis axis)
        where TSampling : struct, ISampling
    {
        int count = 0;
        for (int input = 0; input < axis.Input; input++)
        {
            starts[input] = count;
            int first = TSampling.First(in axis, input);
            int end = TSampling.End(in axis, input);
            while (first < end && Share<TSampling>(in axis, input, first) == TReal.Zero)
                first++;
            while (end > first && Share<TSampling>(in axis, input, end - 1) == TReal.Zero)
                end--;
            firsts[input] = first;
            for (int output = first; output < end; output++)
                bilinearWeights[count++] = Share<TSampling>(in axis, input, output);
        }
        starts[axis.Input] = count;
    }

    private static long Capacity(in SampleAxis axis) => 2L * axis.Output;

    private static TReal Share<TSampling>(in SampleAxis axis, int input, int output)
        where TSampling : struct, ISampling
    {
        var position = TSampling.Locate(in axis, output);
        var fraction = SampleTable<TReal>.FractionOf(in position);
        var bilinearWeight = position.Low == input ? TReal.One - fraction : TReal.Zero;
        return position.High == input ? bilinearWeight + fraction : bilinearWeight;
    }
}

namespace SapaGpu.Kernels.Contracts;

/// <summary>Between which input samples an output sample lies.</summary>
internal struct SamplePosition
{
    /// <summary>The sample before it.</summary>
    public int Low;

    /// <summary>The sample after it, or the same one at the end.</summary>
    public int High;

    /// <summary>The fraction from one to the other, over <see cref="Denominator"/>.</summary>
    public int Numerator;

    /// <summary>The denominator of the fraction, positive.</summary>
    public int Denominator;
}

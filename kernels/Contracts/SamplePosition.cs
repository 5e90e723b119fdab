namespace SapaGpu.Kernels.Contracts;

/// <summary>Between which input samples an output sample lies.</summary>
internal struct SamplePosition
{
    /// <summary>The sample before it.</summary>
    public int Low;

    /// <summary>The sample after it, or the same one at the end.</summary>
    public int High;

    /// <summary>The way from one to the other, as a fraction with <see cref="Denominator"/>.</summary>
    public int Numerator;

    /// <summary>The denominator of the way, positive.</summary>
    public int Denominator;
}

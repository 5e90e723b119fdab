namespace SapaGpu.Kernels.Numerics;

/// <summary>Arithmetic of places in large maps.</summary>
internal static class WholeNumber
{
    /// <summary>
    /// ⌊numerator/denominator⌋ of numbers that are not negative. A GPU divides 64 bits in about five times as many
    /// instructions as 32, and hardly any place needs more.
    /// </summary>
    public static long Quotient(long numerator, long denominator) =>
        (numerator | denominator) >> 31 == 0 ? (uint)numerator / (uint)denominator : numerator / denominator;
}

namespace SapaGpu.Operators;

/// <summary>Tests the flags of <see cref="Gradients"/>.</summary>
internal static class GradientsExtensions
{
    /// <summary>Whether a gradient is wanted.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are undefined flags.</exception>
    public static bool Includes(this Gradients wanted, Gradients gradient) => (wanted & ~Gradients.All) == 0
        ? (wanted & gradient) != 0
        : throw new ArgumentOutOfRangeException(
            nameof(wanted), $"{wanted} has undefined flags; combine values of {nameof(Gradients)}.");
}

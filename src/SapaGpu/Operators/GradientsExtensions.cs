namespace SapaGpu.Operators;

/// <summary>Reads which gradients are wanted.</summary>
internal static class GradientsExtensions
{
    /// <summary>Whether a gradient is wanted.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are flags that no gradient has.</exception>
    public static bool Includes(this Gradients wanted, Gradients gradient) => (wanted & ~Gradients.All) == 0
        ? (wanted & gradient) != 0
        : throw new ArgumentOutOfRangeException(
            nameof(wanted), $"{wanted} has flags that no gradient has; combine values of {nameof(Gradients)}.");
}

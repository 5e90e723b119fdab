namespace SapaGpu.Fuzz.Problems;

/// <summary>Numbers as element types hold them.</summary>
internal static class Rounding
{
    public static double To(ElementType type, double value) => type switch
    {
        ElementType.Float64 => value,
        ElementType.Float32 => (float)value,
        ElementType.Float16 => (double)(Half)value,
        ElementType.BFloat16 => (float)(BFloat16)value,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}

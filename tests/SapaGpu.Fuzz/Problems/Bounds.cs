namespace SapaGpu.Fuzz.Problems;

/// <summary>How near results come to the reference on the same rounded inputs.</summary>
internal static class Bounds
{
    /// <summary>
    /// The allowed error of a result that is rounded once, as a share of the largest expected magnitude, or of 1 where
    /// that is smaller.
    /// </summary>
    public static double Share(ElementType type, bool backward) => type switch
    {
        ElementType.Float64 => backward ? 1e-10 : 1e-11,
        ElementType.Float32 => backward ? 3e-5 : 1e-5,
        _ => (backward ? 8 : 4) * type.Unit(),
    };
}

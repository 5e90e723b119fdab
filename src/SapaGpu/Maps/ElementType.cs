namespace SapaGpu;

/// <summary>The element types of maps.</summary>
public enum ElementType
{
    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE double precision.</summary>
    Float64,

    /// <summary>IEEE half precision in memory, computed in single precision.</summary>
    Float16,

    /// <summary>bfloat16 in memory, computed in single precision.</summary>
    BFloat16,
}

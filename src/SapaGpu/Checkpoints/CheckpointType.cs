namespace SapaGpu;

/// <summary>The types of the numbers in a checkpoint.</summary>
public enum CheckpointType
{
    /// <summary>IEEE double precision.</summary>
    Float64,

    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE half precision: 5 bits of exponent, 10 of fraction.</summary>
    Float16,

    /// <summary>The upper half of single precision: 8 bits of exponent, 7 of fraction.</summary>
    BFloat16,

    /// <summary>Whole numbers of 64 bits with sign.</summary>
    Int64,

    /// <summary>Whole numbers of 32 bits with sign.</summary>
    Int32,

    /// <summary>Whole numbers of 16 bits with sign.</summary>
    Int16,

    /// <summary>Whole numbers of 8 bits with sign.</summary>
    Int8,

    /// <summary>Whole numbers of 8 bits without sign.</summary>
    UInt8,

    /// <summary>True or false, a byte each.</summary>
    Bool,
}

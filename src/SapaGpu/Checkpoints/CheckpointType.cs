namespace SapaGpu;

/// <summary>The element types of tensors in a checkpoint.</summary>
public enum CheckpointType
{
    /// <summary>IEEE double precision.</summary>
    Float64,

    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE half precision: 5 bits of exponent, 10 of mantissa.</summary>
    Float16,

    /// <summary>bfloat16, the upper half of single precision: 8 bits of exponent, 7 of mantissa.</summary>
    BFloat16,

    /// <summary>Signed 64-bit integers.</summary>
    Int64,

    /// <summary>Signed 32-bit integers.</summary>
    Int32,

    /// <summary>Signed 16-bit integers.</summary>
    Int16,

    /// <summary>Signed 8-bit integers.</summary>
    Int8,

    /// <summary>Unsigned 8-bit integers.</summary>
    UInt8,

    /// <summary>Booleans, one byte each.</summary>
    Bool,

    /// <summary>
    /// A type of a safetensors file that is not read, such as F8_E4M3: <see cref="StateEntry.TypeName"/> has its name, and
    /// the bytes are there, but no numbers.
    /// </summary>
    Other,
}

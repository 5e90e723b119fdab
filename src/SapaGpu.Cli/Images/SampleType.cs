namespace SapaGpu.Cli.Images;

/// <summary>The type of the samples of an image file.</summary>
internal enum SampleType
{
    /// <summary>Integers from 0 to 255.</summary>
    UInt8,

    /// <summary>Integers from 0 to 65535.</summary>
    UInt16,

    /// <summary>Single-precision numbers.</summary>
    Float32,

    /// <summary>Integers from −128 to 127.</summary>
    Int8,

    /// <summary>Integers from −32768 to 32767.</summary>
    Int16,

    /// <summary>Signed integers of 32 bits.</summary>
    Int32,

    /// <summary>Unsigned integers of 32 bits.</summary>
    UInt32,

    /// <summary>Double-precision numbers.</summary>
    Float64,
}

/// <summary>Properties of sample types.</summary>
internal static class SampleTypes
{
    /// <summary>The sample that is shown as white; null for types of quantities, which have none.</summary>
    public static float? White(this SampleType type) => type switch
    {
        SampleType.UInt8 => byte.MaxValue,
        SampleType.UInt16 => ushort.MaxValue,
        SampleType.Float32 => 1,
        _ => null,
    };

    /// <summary>Whether single precision holds every sample of the type exactly.</summary>
    public static bool FitsSinglePrecision(this SampleType type) =>
        type is not (SampleType.Int32 or SampleType.UInt32 or SampleType.Float64);

    /// <summary>The name in messages.</summary>
    public static string Describe(this SampleType type) => type switch
    {
        SampleType.UInt8 => "8-bit",
        SampleType.UInt16 => "16-bit",
        SampleType.Int8 => "signed 8-bit",
        SampleType.Int16 => "signed 16-bit",
        SampleType.Int32 => "signed 32-bit",
        SampleType.UInt32 => "32-bit",
        _ => "floating-point",
    };
}

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
}

/// <summary>Properties of sample types.</summary>
internal static class SampleTypes
{
    /// <summary>The largest sample; for floating-point samples, the value of white.</summary>
    public static float Maximum(this SampleType type) => type switch
    {
        SampleType.UInt8 => byte.MaxValue,
        SampleType.UInt16 => ushort.MaxValue,
        _ => 1,
    };

    /// <summary>The name in messages.</summary>
    public static string Describe(this SampleType type) => type switch
    {
        SampleType.UInt8 => "8-bit",
        SampleType.UInt16 => "16-bit",
        _ => "floating-point",
    };
}

namespace SapaGpu.Cli.Images;

/// <summary>What a sample of an image file is.</summary>
internal enum SampleType
{
    /// <summary>Whole numbers from 0 to 255.</summary>
    UInt8,

    /// <summary>Whole numbers from 0 to 65535.</summary>
    UInt16,

    /// <summary>Single-precision numbers.</summary>
    Float32,
}

/// <summary>What follows from the type of samples.</summary>
internal static class SampleTypes
{
    /// <summary>The largest sample; of floating-point samples, what stands for white.</summary>
    public static float Maximum(this SampleType type) => type switch
    {
        SampleType.UInt8 => byte.MaxValue,
        SampleType.UInt16 => ushort.MaxValue,
        _ => 1,
    };

    /// <summary>The name for people.</summary>
    public static string Describe(this SampleType type) => type switch
    {
        SampleType.UInt8 => "8-bit",
        SampleType.UInt16 => "16-bit",
        _ => "floating-point",
    };
}

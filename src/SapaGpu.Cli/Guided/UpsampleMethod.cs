namespace SapaGpu.Cli.Guided;

/// <summary>How a map is upsampled.</summary>
internal enum UpsampleMethod
{
    /// <summary>Every pixel takes the value of its cell.</summary>
    Nearest,

    /// <summary>Linear interpolation between cells.</summary>
    Bilinear,

    /// <summary>Window attention under the guidance of the photo.</summary>
    Sapa,
}

/// <summary>Names of the methods for people.</summary>
internal static class UpsampleMethodNames
{
    /// <summary>The name in tables and captions.</summary>
    public static string Title(this UpsampleMethod method) =>
        method == UpsampleMethod.Sapa ? "SAPA" : method.ToString();
}

namespace SapaGpu.Cli.Guided;

/// <summary>The upsampling methods.</summary>
internal enum UpsampleMethod
{
    /// <summary>Every pixel takes the value of its cell.</summary>
    Nearest,

    /// <summary>Linear interpolation between cells.</summary>
    Bilinear,

    /// <summary>Window attention guided by the photo.</summary>
    Sapa,
}

/// <summary>Display names of the methods.</summary>
internal static class UpsampleMethodNames
{
    /// <summary>The name in tables and captions.</summary>
    public static string Title(this UpsampleMethod method) =>
        method == UpsampleMethod.Sapa ? "SAPA" : method.ToString();
}

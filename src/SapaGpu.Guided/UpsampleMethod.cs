namespace SapaGpu.Guided;

/// <summary>The upsampling methods.</summary>
public enum UpsampleMethod
{
    /// <summary>Every pixel takes the value of its cell.</summary>
    Nearest,

    /// <summary>Linear interpolation between cells.</summary>
    Bilinear,

    /// <summary>Window attention guided by the photo.</summary>
    Sapa,
}

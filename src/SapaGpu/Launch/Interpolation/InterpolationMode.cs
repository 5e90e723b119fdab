namespace SapaGpu;

/// <summary>The method of <see cref="Interpolate"/>.</summary>
public enum InterpolationMode
{
    /// <summary>Output position (y, x) takes the value of cell (⌊y·H/OH⌋, ⌊x·W/OW⌋).</summary>
    Nearest,

    /// <summary>Linear interpolation between the four nearest cells along both axes.</summary>
    Bilinear,
}

namespace SapaGpu;

/// <summary>How <see cref="Interpolate"/> fills in values.</summary>
public enum InterpolationMode
{
    /// <summary>The value of cell (⌊y·H/OH⌋, ⌊x·W/OW⌋).</summary>
    Nearest,

    /// <summary>Between the four cells around the place, by distance along each axis.</summary>
    Bilinear,
}

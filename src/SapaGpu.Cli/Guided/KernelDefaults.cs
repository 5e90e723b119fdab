using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>
/// The kernels that did best, on the average over photographs with known full-size maps, in bringing back maps that had
/// been made eight times smaller; the quality test prints the figures.
/// </summary>
/// <remarks>
/// Edges of labels and depth coincide with edges of the photo, so a narrow spread over colours finds them. A foreground
/// object shares colours with what is around it, and texture inside it must not show: masks want a wide one.
/// </remarks>
internal static class KernelDefaults
{
    /// <summary>The default kernel of a kind of map.</summary>
    public static KernelSettings For(MapKind kind) => kind switch
    {
        MapKind.Mask => new KernelSettings(5, 0.2, 0.55),
        MapKind.Labels => new KernelSettings(5, 0.04, 0.65),
        MapKind.Depth => new KernelSettings(5, 0.05, 0.4),
        _ => new KernelSettings(5, 0.1, 0.5),
    };

    /// <summary>Finds out what a map shows.</summary>
    /// <param name="map">The map.</param>
    /// <param name="labels">Whether its values were said to be classes.</param>
    /// <param name="unknown">The mark of missing values; null if none was given.</param>
    public static MapKind KindOf(Raster map, bool labels, float? unknown)
    {
        if (labels)
            return MapKind.Labels;
        if (unknown is not null)
            return MapKind.Depth;
        return map.Channels == 1 && map.Values.Distinct().Take(3).Count() == 2 ? MapKind.Mask : MapKind.Image;
    }
}

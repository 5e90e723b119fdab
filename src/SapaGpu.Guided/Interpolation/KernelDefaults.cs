
namespace SapaGpu.Guided;

/// <summary>
/// The kernels that restored maps best that had been shrunk by 8, averaged over photographs with known full-size maps;
/// the quality test prints the figures.
/// </summary>
/// <remarks>
/// Edges of labels and depth coincide with edges of the photo, so a small standard deviation over colours finds them. A
/// foreground object shares colours with its surroundings, and its texture must not appear in the mask: masks need a
/// large one.
/// </remarks>
internal static class KernelDefaults
{
    /// <summary>The kernel of a kind of map: what is asked for, and where that is null the default.</summary>
    public static KernelSettings Of(MapKind kind, bool refines, int? window, double? colourSigma, double? spaceSigma)
    {
        var defaults = refines ? For(kind) : PlainFor(kind);
        return defaults with
        {
            Window = window ?? defaults.Window,
            ColourSigma = colourSigma ?? defaults.ColourSigma,
            SpaceSigma = spaceSigma ?? defaults.SpaceSigma,
        };
    }

    /// <summary>The default kernel of a kind of map.</summary>
    public static KernelSettings For(MapKind kind) => kind switch
    {
        MapKind.Mask => new KernelSettings(3, 0.12, 0.5, Refines: true),
        MapKind.Labels => new KernelSettings(3, 0.03, 0.55, Refines: true),
        MapKind.Depth => new KernelSettings(3, 0.04, 0.4, Refines: true),
        MapKind.Image => new KernelSettings(3, 0.07, 0.4, Refines: true),
        _ => PlainFor(kind),
    };

    /// <summary>The default kernel of a kind of map where nothing refines its result.</summary>
    public static KernelSettings PlainFor(MapKind kind) => kind switch
    {
        MapKind.Mask => new KernelSettings(5, 0.2, 0.55),
        MapKind.Labels => new KernelSettings(5, 0.04, 0.65),
        MapKind.Depth => new KernelSettings(5, 0.05, 0.4),
        _ => new KernelSettings(5, 0.1, 0.5),
    };

    /// <summary>Determines the kind of a map of which nothing was said.</summary>
    /// <param name="map">The map.</param>
    /// <param name="unknown">The mark of missing values; null if none was given.</param>
    public static MapKind KindOf(Raster map, float? unknown) =>
        unknown is not null ? MapKind.Depth
        : IsMask(map) ? MapKind.Mask
        : MapKind.Image;

    // Two values, in one channel or in several alike, as programs save masks that know no grey; opacity that is the same
    // everywhere says nothing.
    private static bool IsMask(Raster map)
    {
        bool hasOpacity = map.Channels is 2 or 4;
        int colours = hasOpacity ? map.Channels - 1 : map.Channels;
        if (colours is not (1 or 3))
            return false;
        var values = new HashSet<float>();
        for (int i = 0; i < map.Values.Length; i += map.Channels)
        {
            var pixel = map.Values.AsSpan(i, map.Channels);
            if (pixel[..colours].ContainsAnyExcept(pixel[0]) || (hasOpacity && pixel[^1] != map.Values[map.Channels - 1]))
                return false;
            values.Add(pixel[0]);
            if (values.Count > 2)
                return false;
        }
        return values.Count == 2;
    }
}

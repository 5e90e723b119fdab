using SapaGpu.Kernels.Policies;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>What the layout of maps allows of thread-group programs that look positions up in tables.</summary>
internal static class MapAccess
{
    /// <summary>Whether positions have 31 bits, counted in packs of four channels where these are accessed whole.</summary>
    public static bool HasShortPositions(ReadOnlySpan<FeatureMap?> maps, bool byPacks)
    {
        foreach (var map in maps)
        {
            if (map is not null && !Pack4Layout.HasShortPositions(map.Layout, map.Shape, byPacks))
                return false;
        }
        return true;
    }

    /// <summary>
    /// Whether programs with matrix units can read maps: eight channels at a time, and two columns where columns lie side by
    /// side.
    /// </summary>
    public static bool SuitsMatrices(ReadOnlySpan<FeatureMap?> maps, bool byPacks)
    {
        foreach (var map in maps)
        {
            if (map is null)
                continue;
            bool suits = byPacks
                ? Pack4Layout.FitsTwice(map)
                : Pack4Layout.HasColumnPairs(map) && Pack4Layout.HasWholePacks(map, 2);
            if (!suits)
                return false;
        }
        return true;
    }

    /// <summary>The format of matrix units that an element type is.</summary>
    public static MatrixChoice MatrixOf<TElement>() =>
        typeof(TElement) == typeof(Float16NativeElement) ? MatrixChoice.Float16
        : typeof(TElement) == typeof(BFloat16NativeElement) ? MatrixChoice.BFloat16
        : MatrixChoice.None;
}

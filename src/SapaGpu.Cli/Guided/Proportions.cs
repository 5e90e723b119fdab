using System.Globalization;

namespace SapaGpu.Cli.Guided;

/// <summary>Finds maps that cannot be a photo made smaller, because their proportions are others.</summary>
internal static class Proportions
{
    /// <summary>What is wrong with the proportions of a map; null if rounding of its sizes explains them.</summary>
    /// <remarks>
    /// A map of a photo that is made smaller has less than a row and a column more or fewer than the exact sizes,
    /// whether they were rounded up or down.
    /// </remarks>
    public static string? Describe(int mapHeight, int mapWidth, int photoHeight, int photoWidth)
    {
        double photo = (double)photoWidth / photoHeight, map = (double)mapWidth / mapHeight;
        bool tooWide = map > photo;
        double stretch = tooWide ? map / photo : photo / map;
        double explained = tooWide
            ? map * (mapHeight + 1) / (mapWidth - 1)
            : (double)(mapWidth + 1) / (mapHeight - 1) / map;
        if (mapWidth == 1 && tooWide || mapHeight == 1 && !tooWide || stretch <= explained)
            return null;
        return $"the proportions of the map, {mapWidth}x{mapHeight}, and of the photo, {photoWidth}x{photoHeight}, " +
            $"differ by {Percent(stretch)}, of which rounding of sizes explains {Percent(explained)}; the map is " +
            "stretched over the photo. Give --letterbox if it was padded, --crop if it covers a part of the photo; if its " +
            "axes are exchanged, swap them or --layout.";
    }

    /// <summary>What is wrong with the size of a padded map; null if a photo might be padded to it.</summary>
    public static string? DescribePadding(int mapHeight, int mapWidth, int photoHeight, int photoWidth)
    {
        bool isTurned = (mapWidth > mapHeight && photoWidth < photoHeight) || (mapWidth < mapHeight && photoWidth > photoHeight);
        return isTurned
            ? $"the map is {mapWidth}x{mapHeight}, padded beyond a square for a photo of {photoWidth}x{photoHeight}; swap its " +
              "axes or --layout if they are exchanged."
            : null;
    }

    private static string Percent(double factor) =>
        string.Create(CultureInfo.InvariantCulture, $"{(factor - 1) * 100:0.#} %");
}

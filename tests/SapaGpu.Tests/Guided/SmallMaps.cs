namespace SapaGpu.Tests.Guided;

/// <summary>Makes small maps of true ones, as a coarse annotator, network or sensor would give them.</summary>
internal static class SmallMaps
{
    /// <summary>The mask of the cells that at least half belong to the object, with the same two values.</summary>
    public static Raster OfMask(Raster truth, int height, int width)
    {
        float low = truth.Values.Min(), high = truth.Values.Max();
        return FromCells(truth, height, width, values => values.Average() >= (low + high) / 2 ? high : low);
    }

    /// <summary>The most frequent class of every cell.</summary>
    public static Raster OfLabels(Raster truth, int height, int width) => FromCells(
        truth, height, width, values => values.CountBy(value => value).MaxBy(pair => (pair.Value, -pair.Key)).Key);

    /// <summary>The mean of the known values of every cell; unknown where fewer than half are known.</summary>
    public static Raster OfDepth(Raster truth, int height, int width, float unknown) =>
        FromCells(truth, height, width, values =>
        {
            var known = values.Where(value => value != unknown).ToList();
            return 2 * known.Count >= values.Count ? known.Average() : unknown;
        });

    /// <summary>The mean of every cell.</summary>
    public static Raster OfImage(Raster truth, int height, int width) =>
        FromCells(truth, height, width, values => values.Average());

    private static Raster FromCells(Raster truth, int height, int width, Func<List<float>, float> summarise)
    {
        var cells = new List<float>[height * width];
        for (int i = 0; i < cells.Length; i++)
            cells[i] = [];
        for (int y = 0; y < truth.Height; y++)
        {
            int row = (2 * y + 1) * height / (2 * truth.Height);
            for (int x = 0; x < truth.Width; x++)
                cells[row * width + (2 * x + 1) * width / (2 * truth.Width)].Add(truth.PixelAt(y, x)[0]);
        }
        return new Raster(height, width, 1, Array.ConvertAll(cells, values => summarise(values)));
    }
}

using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>
/// The cells of a map that the photo covers, and the margins in pixels by which those cells stick out of the photo.
/// </summary>
/// <remarks>
/// The edge between photo and padding seldom falls on the edge of a cell. The cells that it runs through are kept and the
/// photo grows to their ends, so that no other cell is displaced.
/// </remarks>
/// <param name="Cells">The cells that the photo covers.</param>
/// <param name="Top">The rows that the photo grows by above.</param>
/// <param name="Bottom">The rows that the photo grows by below.</param>
/// <param name="Left">The columns that the photo grows by on the left.</param>
/// <param name="Right">The columns that the photo grows by on the right.</param>
internal sealed record Placement(Region Cells, int Top, int Bottom, int Left, int Right)
{
    /// <summary>The placement of a map that was made of the photo made smaller, and padded.</summary>
    public static Placement Of(ImageSize map, ImageSize photo, Letterbox letterbox)
    {
        double scale = Math.Min((double)map.Height / photo.Height, (double)map.Width / photo.Width);
        var rows = Axis.Of(map.Height, photo.Height, scale, letterbox);
        var columns = Axis.Of(map.Width, photo.Width, scale, letterbox);
        return new Placement(
            new Region(rows.Cell, columns.Cell, rows.Cells, columns.Cells),
            rows.Before,
            rows.After,
            columns.Before,
            columns.After);
    }

    /// <summary>The photo with the margins, which repeat its outermost pixels.</summary>
    public Photo Grow(Photo photo)
    {
        if ((Top, Bottom, Left, Right) == (0, 0, 0, 0))
            return photo;
        var grown = new Photo(Top + photo.Height + Bottom, Left + photo.Width + Right);
        for (int row = 0; row < grown.Height; row++)
        {
            int from = Math.Clamp(row - Top, 0, photo.Height - 1);
            for (int column = 0; column < grown.Width; column++)
            {
                photo.PixelAt(from, Math.Clamp(column - Left, 0, photo.Width - 1))
                    .CopyTo(grown.PixelAt(row, column));
            }
        }
        return grown;
    }

    private readonly record struct Axis(int Cell, int Cells, int Before, int After)
    {
        // Sizes that divide each other give whole numbers but for rounding.
        private const double Tolerance = 1e-6;

        public static Axis Of(int cells, int pixels, double scale, Letterbox letterbox)
        {
            double length = pixels * scale;
            double start = letterbox == Letterbox.Center ? (cells - length) / 2 : 0;
            int first = Math.Max(0, (int)Math.Floor(start + Tolerance));
            int end = Math.Min(cells, Math.Max(first + 1, (int)Math.Ceiling(start + length - Tolerance)));
            int before = (int)Math.Round((start - first) / scale);
            int all = Math.Max(before + pixels, (int)Math.Round((end - first) / scale));
            return new Axis(first, end - first, Math.Max(0, before), all - Math.Max(0, before) - pixels);
        }
    }
}

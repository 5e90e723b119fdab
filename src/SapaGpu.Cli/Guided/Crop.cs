using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>Cuts photos and maps of their size to the part that a map covers.</summary>
internal static class Crop
{
    /// <summary>The size of the part of a photo.</summary>
    /// <exception cref="ArgumentException">The part does not lie in the photo.</exception>
    public static ImageSize SizeOf(string name, ImageSize photo, Region? part)
    {
        if (part is not { } area)
            return photo;
        if (area.EndRow <= photo.Height && area.EndColumn <= photo.Width)
            return new ImageSize(area.Height, area.Width);
        throw new ArgumentException(
            $"--crop {area.Column},{area.Row},{area.Width},{area.Height}: the part ends at {area.EndColumn},{area.EndRow}, " +
            $"but the photo {name} is {photo.Text}; give x,y,width,height in pixels of the upright photo.");
    }

    /// <summary>Cuts a photo; the part lies in it.</summary>
    public static Photo Cut(Photo photo, Region? part)
    {
        if (part is not { } area)
            return photo;
        var cut = new Photo(area.Height, area.Width);
        for (int row = 0; row < area.Height; row++)
        {
            for (int column = 0; column < area.Width; column++)
                photo.PixelAt(area.Row + row, area.Column + column).CopyTo(cut.PixelAt(row, column));
        }
        return cut;
    }
}

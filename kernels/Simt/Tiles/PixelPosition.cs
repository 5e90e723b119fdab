using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>The place of a pixel in a batch of images.</summary>
internal struct PixelPosition
{
    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The row.</summary>
    public int Row;

    /// <summary>The column.</summary>
    public int Column;

    /// <summary>Finds the place of a pixel by its number, row by row and image by image.</summary>
    public static PixelPosition Locate(in PointwiseExtent extent, long pixel)
    {
        long row = pixel / extent.Width;
        int image = (int)(row / extent.Height);
        return new PixelPosition
        {
            Image = image,
            Row = (int)(row - (long)image * extent.Height),
            Column = (int)(pixel - row * extent.Width),
        };
    }

    /// <summary>The place of the pixel that comes some pixels later; a few 32-bit operations.</summary>
    public readonly PixelPosition Plus(in PointwiseExtent extent, int pixels)
    {
        int column = Column + pixels;
        int row = Row + column / extent.Width;
        return new PixelPosition
        {
            Image = Image + row / extent.Height,
            Row = row % extent.Height,
            Column = column % extent.Width,
        };
    }

    /// <summary>The position of a channel of the pixel in a map.</summary>
    public readonly long Offset<T>(in MapView<T> map, int channel)
        where T : unmanaged => map.Offset(Image, channel, Row, Column);
}

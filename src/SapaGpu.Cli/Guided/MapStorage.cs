using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>How a map is stored in its file; the result is stored in the same way.</summary>
internal abstract record MapStorage;

/// <summary>An image.</summary>
/// <param name="Type">The sample type of the file.</param>
/// <param name="Palette">The colours of the samples, if they are indices.</param>
internal sealed record ImageStorage(SampleType Type, Palette? Palette) : MapStorage;

/// <summary>A NumPy array.</summary>
/// <param name="Descriptor">The element type of the file, as NumPy writes it.</param>
/// <param name="Layout">The order of the dimensions.</param>
internal sealed record ArrayStorage(string Descriptor, ArrayLayout Layout) : MapStorage
{
    /// <summary>Whether the elements are real numbers.</summary>
    public bool IsFloatingPoint => Descriptor[1] == 'f';

    /// <summary>The dimensions of 1 before those of the layout, such as that of a batch of one image.</summary>
    public int LeadingOnes { get; init; }

    /// <summary>The dimensions of an array of this layout.</summary>
    public int[] ShapeOf(int height, int width, int channels) =>
    [
        .. Enumerable.Repeat(1, LeadingOnes),
        .. Layout switch
        {
            ArrayLayout.Plane => [height, width],
            ArrayLayout.ChannelsFirst => [channels, height, width],
            _ => (int[])[height, width, channels],
        },
    ];
}

/// <summary>The order of the dimensions of an array.</summary>
internal enum ArrayLayout
{
    /// <summary>One channel, [H, W].</summary>
    Plane,

    /// <summary>[C, H, W].</summary>
    ChannelsFirst,

    /// <summary>[H, W, C].</summary>
    ChannelsLast,
}

/// <summary>A map and how it was stored.</summary>
internal sealed record StoredMap(Raster Raster, MapStorage Storage)
{
    /// <summary>What single precision costs; null if it holds all values exactly.</summary>
    public SinglePrecision? Precision { get; init; }

    /// <summary>The values as they are in the file; null if single precision holds all of them exactly.</summary>
    public ExactMap? Exact { get; init; }

    /// <summary>A rectangle of the map.</summary>
    public StoredMap Cut(Region cells)
    {
        if (cells == new Region(0, 0, Raster.Height, Raster.Width))
            return this;
        var cut = new Raster(cells.Height, cells.Width, Raster.Channels);
        for (int row = 0; row < cells.Height; row++)
        {
            int from = ((cells.Row + row) * Raster.Width + cells.Column) * Raster.Channels;
            int length = cells.Width * Raster.Channels;
            Raster.Values.AsSpan(from, length).CopyTo(cut.Values.AsSpan(row * length));
        }
        return this with { Raster = cut, Exact = Exact?.Cut(cells, Raster.Height, Raster.Width) };
    }
}

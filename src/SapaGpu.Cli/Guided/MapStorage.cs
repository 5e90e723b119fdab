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
internal sealed record ArrayStorage(string Descriptor, ArrayLayout Layout) : MapStorage;

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
internal sealed record StoredMap(Raster Raster, MapStorage Storage);


namespace SapaGpu.Guided;

/// <summary>
/// Encodes a low-resolution map as channels of numbers that can be averaged, and decodes averages to samples.
/// </summary>
internal interface IMapCodec
{
    /// <summary>The rows of the map.</summary>
    int Height { get; }

    /// <summary>The columns of the map.</summary>
    int Width { get; }

    /// <summary>The samples of a pixel of the result.</summary>
    int SampleChannels { get; }

    /// <summary>The channels that a rectangle of cells has when encoded.</summary>
    int CountChannels(Region cells);

    /// <summary>Encodes a rectangle of cells.</summary>
    EncodedCells Encode(Region cells);

    /// <summary>Computes samples, channels side by side, from averages of encoded cells.</summary>
    /// <param name="encoded">The cells.</param>
    /// <param name="pixels">Where the pixels are.</param>
    /// <param name="averages">The averages of every pixel.</param>
    /// <param name="samples">The samples of every pixel.</param>
    void Decode(EncodedCells encoded, PixelBlock pixels, ReadOnlySpan<float> averages, Span<float> samples);
}

/// <summary>Cells as channels of numbers.</summary>
/// <param name="Channels">The number of channels.</param>
/// <param name="Values">The numbers of every cell, channels side by side.</param>
/// <param name="Classes">For labels, the class of each channel; otherwise empty.</param>
internal sealed record EncodedCells(int Channels, float[] Values, IReadOnlyList<int> Classes);

/// <summary>A rectangle of pixels over cells.</summary>
/// <param name="Grid">The pixels of the photo over the cells of the map.</param>
/// <param name="Pixels">The rectangle.</param>
/// <param name="Cells">The cells that were encoded for it.</param>
internal readonly record struct PixelBlock(CellGrid Grid, Region Pixels, Region Cells);

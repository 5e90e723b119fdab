namespace SapaGpu.Guided;

/// <summary>A colour image of 8 bits per sample, red, green and blue side by side.</summary>
/// <param name="Height">The number of rows.</param>
/// <param name="Width">The number of columns.</param>
/// <param name="Samples">The samples, row by row.</param>
internal sealed record Photo(int Height, int Width, byte[] Samples)
{
    /// <summary>The samples of a pixel.</summary>
    public const int Channels = 3;

    /// <summary>The factor that maps a sample to the range from 0 to 1.</summary>
    public const float SampleUnit = 1f / byte.MaxValue;

    /// <summary>Creates a black photo.</summary>
    public Photo(int height, int width)
        : this(height, width, new byte[(long)height * width * Channels])
    {
    }

    /// <summary>The size as text, width first.</summary>
    public string SizeText => $"{Width}x{Height}";

    /// <summary>Red, green and blue of a pixel.</summary>
    public Span<byte> PixelAt(int row, int column) =>
        Samples.AsSpan((row * Width + column) * Channels, Channels);

    /// <summary>Fills the part of a rectangle that lies on the image with a colour.</summary>
    public void Fill(Region area, ReadOnlySpan<byte> colour)
    {
        for (int row = Math.Max(0, area.Row); row < Math.Min(Height, area.EndRow); row++)
        {
            for (int column = Math.Max(0, area.Column); column < Math.Min(Width, area.EndColumn); column++)
                colour.CopyTo(PixelAt(row, column));
        }
    }

    /// <summary>Copies another image onto this one, where it must fit.</summary>
    public void Paste(Photo other, int row, int column)
    {
        for (int y = 0; y < other.Height; y++)
        {
            other.Samples.AsSpan(y * other.Width * Channels, other.Width * Channels)
                .CopyTo(Samples.AsSpan(((row + y) * Width + column) * Channels));
        }
    }

    /// <summary>Makes the image smaller by averaging, or larger by repeating pixels.</summary>
    public Photo Resize(int height, int width)
    {
        if (height <= Height && width <= Width)
        {
            var means = AreaAverage.Shrink(Samples, Height, Width, Channels, height, width);
            return new Photo(
                height, width, Array.ConvertAll(means, mean => (byte)MathF.Round(mean * byte.MaxValue)));
        }
        var larger = new Photo(height, width);
        for (int row = 0; row < height; row++)
        {
            int from = (int)((long)row * Height / height);
            for (int column = 0; column < width; column++)
                PixelAt(from, (int)((long)column * Width / width)).CopyTo(larger.PixelAt(row, column));
        }
        return larger;
    }
}

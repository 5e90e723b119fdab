namespace SapaGpu.Guided;

/// <summary>An image or map in memory; the samples of a pixel lie side by side, in the units of the file.</summary>
internal sealed class Raster : IMapSink
{
    /// <summary>Creates a raster of zeros.</summary>
    /// <exception cref="InsufficientMemoryException">The samples do not fit an array.</exception>
    public Raster(int height, int width, int channels)
        : this(height, width, channels, new float[CheckedLength(height, width, channels)])
    {
    }

    /// <summary>Creates a raster of samples.</summary>
    public Raster(int height, int width, int channels, float[] values)
    {
        Height = height;
        Width = width;
        Channels = channels;
        Values = values;
    }

    /// <summary>The number of rows.</summary>
    public int Height { get; }

    /// <summary>The number of columns.</summary>
    public int Width { get; }

    /// <summary>The samples of a pixel.</summary>
    public int Channels { get; }

    /// <summary>All samples, row by row.</summary>
    public float[] Values { get; }

    /// <summary>The size as text, width first.</summary>
    public string SizeText => $"{Width}x{Height}";

    /// <summary>The samples of a pixel.</summary>
    public Span<float> PixelAt(int row, int column) =>
        Values.AsSpan((row * Width + column) * Channels, Channels);

    /// <inheritdoc/>
    public void Write(Region pixels, ReadOnlySpan<float> samples)
    {
        int rowLength = pixels.Width * Channels;
        for (int row = 0; row < pixels.Height; row++)
        {
            int to = ((pixels.Row + row) * Width + pixels.Column) * Channels;
            samples.Slice(row * rowLength, rowLength).CopyTo(Values.AsSpan(to));
        }
    }

    private static long CheckedLength(int height, int width, int channels)
    {
        long length = (long)height * width * channels;
        return length <= Array.MaxLength
            ? length
            : throw new InsufficientMemoryException(
                $"An image of {width}x{height} with {channels} channels is larger than an array can be; use smaller " +
                "images, or .npy without --compare and --truth.");
    }
}

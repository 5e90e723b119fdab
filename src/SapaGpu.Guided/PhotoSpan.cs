namespace SapaGpu.Guided;

/// <summary>A photo in memory of the caller: the guide, at the size that a map is to have.</summary>
public readonly ref struct PhotoSpan
{
    /// <summary>Refers to a photo.</summary>
    /// <param name="samples">
    /// sRGB samples of 8 bits, row by row, [height, width, 3] with red, green and blue side by side, or [height, width] of grey.
    /// </param>
    /// <param name="height">The rows.</param>
    /// <param name="width">The columns.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the samples are neither three nor one a pixel.</exception>
    public PhotoSpan(ReadOnlySpan<byte> samples, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        long pixels = (long)height * width;
        if (samples.Length != pixels && samples.Length != pixels * Photo.Channels)
        {
            throw new ArgumentException(
                $"A photo of {width}x{height} has {pixels * Photo.Channels:N0} samples of colour or {pixels:N0} of grey; got " +
                $"{samples.Length:N0}.",
                nameof(samples));
        }
        Samples = samples;
        Height = height;
        Width = width;
    }

    /// <summary>Gets the samples.</summary>
    public ReadOnlySpan<byte> Samples { get; }

    /// <summary>Gets the rows.</summary>
    public int Height { get; }

    /// <summary>Gets the columns.</summary>
    public int Width { get; }

    internal Photo ToPhoto()
    {
        var photo = new Photo(Height, Width);
        if (Samples.Length == photo.Samples.Length)
        {
            Samples.CopyTo(photo.Samples);
            return photo;
        }
        for (int i = 0; i < Samples.Length; i++)
            photo.Samples.AsSpan(i * Photo.Channels, Photo.Channels).Fill(Samples[i]);
        return photo;
    }
}

using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>An image that was read without libvips.</summary>
/// <param name="Height">The rows.</param>
/// <param name="Width">The columns.</param>
/// <param name="Channels">The samples of a pixel.</param>
/// <param name="Samples">The samples: bytes, 16-bit integers or single-precision numbers.</param>
internal sealed record Bitmap(int Height, int Width, int Channels, Array Samples)
{
    /// <summary>The item of an image that tells its white where this is not the largest sample of the type.</summary>
    public const string WhiteField = "white";

    /// <summary>The palette, if the samples are its indices.</summary>
    public Palette? Palette { get; init; }

    /// <summary>The sample that is white; null for the largest of the type.</summary>
    public int? White { get; init; }

    /// <summary>The samples as numbers.</summary>
    public Raster ToRaster()
    {
        var raster = new Raster(Height, Width, Channels);
        for (int i = 0; i < raster.Values.Length; i++)
            raster.Values[i] = Convert.ToSingle(Samples.GetValue(i), null);
        return raster;
    }

    /// <summary>The image for libvips, with colours in place of indices.</summary>
    public Image ToImage()
    {
        if (Palette is not null)
            return Expand(Palette).ToImage();
        using var image = Samples switch
        {
            byte[] bytes => Image.NewFromMemory(bytes, Width, Height, Channels, Enums.BandFormat.Uchar),
            ushort[] numbers => Image.NewFromMemory(numbers, Width, Height, Channels, Enums.BandFormat.Ushort),
            _ => Image.NewFromMemory((float[])Samples, Width, Height, Channels, Enums.BandFormat.Float),
        };
        var interpretation = (Samples, Channels) switch
        {
            (ushort[], 1) => Enums.Interpretation.Grey16,
            (ushort[], _) => Enums.Interpretation.Rgb16,
            (_, 1) => Enums.Interpretation.Bw,
            _ => Enums.Interpretation.Srgb,
        };
        using var interpreted = image.Copy(interpretation: interpretation);
        return interpreted.Mutate(mutable =>
        {
            if (White is { } white)
                mutable.Set(GValue.GIntType, WhiteField, white);
        });
    }

    /// <summary>The colours of indices; one channel where all that occur are grey.</summary>
    private Bitmap Expand(Palette palette)
    {
        var indices = (byte[])Samples;
        bool isGrey = indices.Distinct().All(index =>
            palette.ColourOf(index) is [var red, var green, var blue] && red == green && green == blue);
        int channels = isGrey ? 1 : Photo.Channels;
        var colours = new byte[indices.Length * channels];
        for (int i = 0; i < indices.Length; i++)
            palette.ColourOf(indices[i])[..channels].CopyTo(colours.AsSpan(i * channels));
        return new Bitmap(Height, Width, channels, colours);
    }
}

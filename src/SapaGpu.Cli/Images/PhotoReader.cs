using System.Globalization;
using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>Reads photos as 8-bit sRGB.</summary>
internal static class PhotoReader
{
    private const string ProfileField = "icc-profile-data";
    private const string ProfileOfScreens = "srgb";

    /// <summary>
    /// Reads a photo: rotated by its EXIF orientation, converted by its colour profile or from its colour space,
    /// without alpha; grey becomes red = green = blue.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="warn">Receives what the user should know about the file.</param>
    /// <exception cref="InvalidDataException">The file is not a photo that can be read.</exception>
    public static Photo Read(InputFile file, Action<string> warn) => ImageSource.Decode(file, image =>
    {
        if (ImageSource.CountPages(file, image) is > 1 and var pages)
            warn($"{file.Name}: the file has {pages} pages; the first is the photo.");
        using var scaled = Scale(file, image, warn);
        if (scaled.Contains(ProfileField))
        {
            try
            {
                using var transformed = scaled.IccTransform(
                    ProfileOfScreens, intent: Enums.Intent.Perceptual, embedded: true, depth: 8);
                return ToPhoto(transformed);
            }
            catch (VipsException e)
            {
                warn($"{file.Name}: its colour profile is ignored ({ImageSource.FirstLine(e)}).");
            }
        }
        using var colours = scaled.Colourspace(Enums.Interpretation.Srgb);
        return ToPhoto(colours);
    });

    private static Photo ToPhoto(Image image)
    {
        using var opaque = image.ExtractBand(0, n: Photo.Channels);
        using var bytes = opaque.Cast(Enums.BandFormat.Uchar);
        return new Photo(bytes.Height, bytes.Width, bytes.WriteToMemory<byte>());
    }

    /// <summary>Brings samples of other types and ranges to those that libvips takes for colours.</summary>
    private static Image Scale(InputFile file, Image image, Action<string> warn)
    {
        if (!IsPlain(image.Interpretation))
            return image.Copy();
        switch (image.Format)
        {
            case Enums.BandFormat.Uchar or Enums.BandFormat.Ushort:
                return image.Contains(Bitmap.WhiteField)
                    ? FromWhite(image, (int)image.Get(Bitmap.WhiteField))
                    : image.Copy();
            case Enums.BandFormat.Float or Enums.BandFormat.Double:
                return FromWhite(image, FindWhite(file, image, warn));
            default:
                throw new InvalidDataException(
                    $"{file.Name}: a photo of samples of type {image.Format} is not read; save it with 8 or 16 bits, " +
                    "unsigned.");
        }
    }

    /// <summary>Whether samples are brightnesses, not coordinates of a colour space.</summary>
    private static bool IsPlain(Enums.Interpretation interpretation) => interpretation is Enums.Interpretation.Bw
        or Enums.Interpretation.Grey16 or Enums.Interpretation.Rgb or Enums.Interpretation.Rgb16
        or Enums.Interpretation.Srgb or Enums.Interpretation.Scrgb or Enums.Interpretation.Multiband;

    private static Image FromWhite(Image image, double white)
    {
        using var scaled = image.Linear([byte.MaxValue / white], [0.5]);
        using var bytes = scaled.Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(
            interpretation: image.Bands < Photo.Channels ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb);
    }

    /// <summary>
    /// Finds which floating-point sample is white: 1 where no sample is larger, as scientific programs write photos,
    /// else the largest sample of 8 or of 16 bits.
    /// </summary>
    private static double FindWhite(InputFile file, Image image, Action<string> warn)
    {
        const float LargestOvershoot = 2;
        using var colours = image.ExtractBand(0, n: image.Bands < Photo.Channels ? 1 : Photo.Channels);
        using var numbers = colours.Cast(Enums.BandFormat.Float);
        float lowest = 0, highest = 0;
        foreach (float sample in numbers.WriteToMemory<float>())
        {
            if (!float.IsFinite(sample))
            {
                throw new InvalidDataException(
                    $"{file.Name}: the photo has samples that are not finite; replace them.");
            }
            lowest = Math.Min(lowest, sample);
            highest = Math.Max(highest, sample);
        }
        if (lowest < -0.1f * highest || highest > ushort.MaxValue)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture,
                $"{file.Name}: the photo has samples from {lowest} to {highest}; scale them from 0 to 1."));
        }
        if (highest is > 1 and <= LargestOvershoot)
            warn($"{file.Name}: samples above 1 are taken for white.");
        return highest switch { <= LargestOvershoot => 1, <= byte.MaxValue => byte.MaxValue, _ => ushort.MaxValue };
    }
}

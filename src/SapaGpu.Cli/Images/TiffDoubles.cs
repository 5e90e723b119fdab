using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>
/// Reads TIFF files of double-precision samples. libvips refuses more than 32 bits a sample, so each sample is given to
/// it as two of 32 bits, which are put together again.
/// </summary>
internal static class TiffDoubles
{
    private const int FloatingPoint = 3;
    private const int Unsigned = 1;
    private const int HorizontalPredictor = 2;
    private const int Halves = 2;

    /// <summary>Opens a file if it is a TIFF of double-precision samples.</summary>
    /// <exception cref="InvalidDataException">The file is such a TIFF, but damaged or not supported.</exception>
    public static Image? TryOpen(InputFile file) => TryOpen(file, Open);

    /// <summary>Opens a file as <see cref="TryOpen(InputFile)"/> does, but reads nothing except what its header says of its size.</summary>
    /// <exception cref="InvalidDataException">The file is such a TIFF, but damaged or not supported.</exception>
    public static Image? TryOpenHeader(InputFile file) => TryOpen(file, OpenWords);

    private static Image? TryOpen(InputFile file, Func<InputFile, TiffDirectory, int, Image> open)
    {
        using var stream = file.OpenStream();
        TiffDirectory? directory;
        try
        {
            directory = TiffDirectory.ReadAll(stream).FirstOrDefault();
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{file.Name}: not a readable image ({e.Message}).", e);
        }
        if (directory is null || directory.First(TiffTag.BitsPerSample, 1) != 64
            || directory.First(TiffTag.SampleFormat, Unsigned) != FloatingPoint)
        {
            return null;
        }
        int channels = (int)directory.First(TiffTag.SamplesPerPixel, 0);
        bool isSupported = directory.First(TiffTag.Predictor, 1) is 1 or HorizontalPredictor
            && channels is >= 1 and <= 4
            && directory.Read(TiffTag.Photometric).Length > 0
            && (channels == 1 || directory.First(TiffTag.PlanarConfiguration, 1) == 1);
        if (!isSupported)
        {
            throw new InvalidDataException(
                $"{file.Name}: double-precision TIFF with the floating-point predictor, in planes or of more than 4 " +
                "channels is not read; save it without a predictor, or as .npy.");
        }
        return open(file, directory, channels);
    }

    /// <summary>The file with every sample as two of 32 bits.</summary>
    private static Image OpenWords(InputFile file, TiffDirectory directory, int channels)
    {
        var halves = Enumerable.Repeat<ushort>(32, channels * Halves).ToArray();
        var bytes = (byte[])file.ReadAll().Clone();
        bytes = directory.Replace(bytes, TiffTag.BitsPerSample, halves);
        bytes = directory.Replace(bytes, TiffTag.SampleFormat, Array.ConvertAll(halves, _ => (ushort)Unsigned));
        bytes = directory.Replace(bytes, TiffTag.SamplesPerPixel, (ushort)(channels * Halves));
        bytes = directory.Replace(bytes, TiffTag.Photometric, 1);
        if (directory.Read(TiffTag.PlanarConfiguration).Length > 0)
            bytes = directory.Replace(bytes, TiffTag.PlanarConfiguration, 1);
        // The halves of a difference cannot be added up one by one, for want of the carry.
        if (IsPredicted(directory))
            bytes = directory.Replace(bytes, TiffTag.Predictor, 1);
        return Image.NewFromBuffer(bytes, failOn: Enums.FailOn.Error);
    }

    private static bool IsPredicted(TiffDirectory directory) => directory.First(TiffTag.Predictor, 1) == HorizontalPredictor;

    private static Image Open(InputFile file, TiffDirectory directory, int channels)
    {
        using var words = OpenWords(file, directory, channels);
        var parts = words.WriteToMemory<uint>();
        int low = directory.IsBigEndian ? 1 : 0;
        var bits = new ulong[parts.Length / Halves];
        for (int i = 0; i < bits.Length; i++)
            bits[i] = (ulong)parts[Halves * i + 1 - low] << 32 | parts[Halves * i + low];
        if (IsPredicted(directory))
            AddUp(bits, words.Width, channels, (int)directory.First(TiffTag.TileWidth, words.Width));
        var numbers = Array.ConvertAll(bits, BitConverter.UInt64BitsToDouble);
        using var image = Image.NewFromMemory(numbers, words.Width, words.Height, channels, Enums.BandFormat.Double);
        var interpretation = channels < Photo.Channels ? Enums.Interpretation.Bw : Enums.Interpretation.Scrgb;
        using var interpreted = image.Copy(interpretation: interpretation);
        return interpreted.Mutate(mutable =>
        {
            foreach (string field in (string[])["n-pages", "orientation"])
            {
                if (words.Contains(field))
                    mutable.Set(GValue.GIntType, field, (int)words.Get(field));
            }
        });
    }

    /// <summary>Makes samples of differences from the pixel to the left in the same tile.</summary>
    private static void AddUp(ulong[] bits, int width, int channels, int tileWidth)
    {
        for (int i = 0; i < bits.Length; i++)
        {
            if (i / channels % width % tileWidth > 0)
                bits[i] += bits[i - channels];
        }
    }
}

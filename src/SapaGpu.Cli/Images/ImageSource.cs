using System.Text;
using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>Opens image files: most by libvips, BMP and the portable maps by readers of our own.</summary>
internal static class ImageSource
{
    /// <summary>The formats that are read, for help and messages.</summary>
    public const string Formats = "JPEG, PNG, TIFF, WebP, GIF, AVIF, SVG, BMP, PBM, PGM, PPM or PFM";

    private const int StartLength = 64;

    private static readonly string[] Loaders = ["jpeg", "uhdr", "png", "tiff", "webp", "gif", "heif", "svg"];

    static ImageSource()
    {
        // Files are read once, and a file of the same name may have another content the next time.
        Cache.Max = 0;

        // Errors become exceptions; warnings would mix with the output of the tool.
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, (_, _, _) => { });
    }

    /// <summary>Reads an image upright, by its EXIF orientation.</summary>
    /// <exception cref="InvalidDataException">The file is not a readable image.</exception>
    public static T Decode<T>(InputFile file, Func<Image, T> convert) => Decode(file, () => Open(file), convert);

    /// <summary>Reads an image that is opened by a function.</summary>
    /// <exception cref="InvalidDataException">It is not a readable image.</exception>
    public static T Decode<T>(InputFile file, Func<Image> open, Func<Image, T> convert)
    {
        try
        {
            using var stored = open();
            if ((long)stored.Width * stored.Height * Photo.Channels > Array.MaxLength)
                throw new InvalidDataException(
                    $"{file.Name}: {stored.Width}x{stored.Height} pixels are too many; use a smaller image.");
            using var upright = stored.Autorot();
            return convert(upright);
        }
        catch (VipsException e)
        {
            throw new InvalidDataException($"{file.Name}: not a readable image ({FirstLine(e)}).", e);
        }
    }

    /// <summary>The pages or frames of a file, without smaller copies and masks of other pages.</summary>
    public static int CountPages(InputFile file, Image image)
    {
        int pages = image.Contains("n-pages") ? (int)image.Get("n-pages") : 1;
        if (pages < 2)
            return pages;
        using var stream = file.OpenStream();
        int full = TiffDirectory.ReadAll(stream).Count(page => (page.First(TiffTag.NewSubfileType, 0) & 5) == 0);
        return full == 0 ? pages : full;
    }

    /// <summary>Refuses maps of several pages, of which libvips would give the first.</summary>
    /// <exception cref="InvalidDataException">There are several pages.</exception>
    public static void CheckPages(InputFile file, Image image)
    {
        if (CountPages(file, image) is > 1 and var pages)
        {
            throw new InvalidDataException(
                $"{file.Name}: the file has {pages} pages, and a map is one; save one page, or all as the channels " +
                "of a .npy array.");
        }
    }

    /// <summary>The cause of an error of libvips.</summary>
    public static string FirstLine(VipsException e)
    {
        // NetVips adds a sentence before the lines of libvips.
        var lines = e.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 1 ? lines[1] : lines[0];
    }

    private static Image Open(InputFile file)
    {
        var start = file.ReadStart(StartLength);
        try
        {
            if (BmpReader.IsBmp(start))
                return BmpReader.Read(file.ReadAll()).ToImage();
            if (NetpbmReader.IsNetpbm(start))
                return NetpbmReader.Read(file.ReadAll()).ToImage();
        }
        catch (Exception e) when (e is InvalidDataException or IndexOutOfRangeException or ArgumentException)
        {
            string cause = e is InvalidDataException ? e.Message.TrimEnd('.') : "the file is damaged or cut off";
            throw new InvalidDataException($"{file.Name}: not a readable image ({cause}).", e);
        }
        if (IsHeic(start))
        {
            throw new InvalidDataException(
                $"{file.Name}: this is a photo in HEIC (HEIF with HEVC), which is not read; save it as JPEG or PNG.");
        }
        if (TiffDoubles.TryOpen(file) is { } doubles)
            return doubles;
        return OpenByLibvips(file);
    }

    private static Image OpenByLibvips(InputFile file)
    {
        Image? image = null;
        try
        {
            image = file.SeekablePath is { } path
                ? Image.NewFromFile(path, failOn: Enums.FailOn.Error)
                : Image.NewFromBuffer(file.ReadAll(), failOn: Enums.FailOn.Error);
        }
        catch (VipsException e) when (e.Message.Contains("known", StringComparison.Ordinal)
            && e.Message.Contains("format", StringComparison.Ordinal))
        {
            // Reported below, as other formats are.
        }
        if (image is not null && image.Get("vips-loader") is string loader && Loaders.Any(loader.StartsWith))
            return image;
        image?.Dispose();
        throw new InvalidDataException($"{file.Name}: not a readable image; save it as {Formats}.");
    }

    /// <summary>Whether a file of the ISO base media format names one of the brands of HEVC images.</summary>
    private static bool IsHeic(byte[] start)
    {
        if (start.Length < 16 || !start.AsSpan(4, 4).SequenceEqual("ftyp"u8))
            return false;
        int end = Math.Min(start.Length, start[2] << 8 | start[3]);
        for (int brand = 8; brand + 4 <= end; brand += brand == 8 ? 8 : 4)
        {
            string name = Encoding.ASCII.GetString(start, brand, 4);
            if (name.StartsWith("hei", StringComparison.Ordinal) || name.StartsWith("hev", StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}

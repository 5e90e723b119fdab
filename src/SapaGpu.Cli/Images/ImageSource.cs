using System.Text;
using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>Opens image files: most by libvips, BMP and the portable maps by readers of our own.</summary>
internal static class ImageSource
{
    /// <summary>The formats that are read, for help and messages.</summary>
    public const string Formats = "JPEG, PNG, TIFF, WebP, GIF, AVIF, SVG, BMP, PBM, PGM, PPM or PFM";

    private const int StartLength = 64;

    /// <summary>Room for the header of a BMP or a portable map, comments included.</summary>
    private const int LongestHeader = 1 << 16;

    /// <summary>The readers of libvips that are used, by the names of its classes.</summary>
    private static readonly string[] Loaders = ["Jpeg", "Uhdr", "Png", "Tiff", "Webp", "Nsgif", "Heif", "Svg"];

    private delegate T OwnReader<T>(ReadOnlySpan<byte> bytes);

    static ImageSource()
    {
        // A file is whatever its bytes say: no other reader may see it, least of all those that are not for files of strangers.
        Operation.Block("VipsForeignLoad", true);
        foreach (string loader in Loaders)
            Operation.Block($"VipsForeignLoad{loader}", false);

        // Files are read once, and a file of the same name may have another content the next time.
        Cache.Max = 0;

        // Errors become exceptions; warnings would mix with the output of the tool.
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, (_, _, _) => { });
    }

    /// <summary>Reads an image upright, by its EXIF orientation.</summary>
    /// <exception cref="InvalidDataException">The file is not a readable image.</exception>
    public static T Decode<T>(InputFile file, Func<Image, T> convert) => Decode(file, () => Open(file), convert);

    /// <summary>Reads the size of an image as it is upright, without its pixels.</summary>
    /// <exception cref="InvalidDataException">The file is not a readable image.</exception>
    public static ImageSize ReadSize(InputFile file)
    {
        if (TryReadOwn(file, BmpReader.ReadSize, NetpbmReader.ReadSize, () => file.ReadStart(LongestHeader)) is { } size)
            return size;
        return Decode(file, () => OpenHeader(file), image => new ImageSize(image.Height, image.Width));
    }

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
        var own = TryReadOwn(
            file, bytes => BmpReader.Read(bytes).ToImage(), bytes => NetpbmReader.Read(bytes).ToImage(), file.ReadAll);
        return own ?? TiffDoubles.TryOpen(file) ?? OpenByLibvips(file);
    }

    /// <summary>Opens an image of which nothing but the size will be asked.</summary>
    private static Image OpenHeader(InputFile file) => TiffDoubles.TryOpenHeader(file) ?? OpenByLibvips(file);

    /// <summary>Reads a file of a format that has a reader of our own; nothing if it is of another.</summary>
    private static T? TryReadOwn<T>(InputFile file, OwnReader<T> readBmp, OwnReader<T> readNetpbm, Func<byte[]> bytes)
        where T : class
    {
        var start = file.ReadStart(StartLength);
        try
        {
            return BmpReader.IsBmp(start) ? readBmp(bytes())
                : NetpbmReader.IsNetpbm(start) ? readNetpbm(bytes())
                : null;
        }
        catch (Exception e) when (e is InvalidDataException or IndexOutOfRangeException or ArgumentException or OverflowException)
        {
            string cause = e is InvalidDataException ? e.Message.TrimEnd('.') : "the file is damaged or cut off";
            throw new InvalidDataException($"{file.Name}: not a readable image ({cause}).", e);
        }
    }

    private static Image OpenByLibvips(InputFile file)
    {
        if (IsHeic(file.ReadStart(StartLength)))
        {
            throw new InvalidDataException(
                $"{file.Name}: this is a photo in HEIC (HEIF with HEVC), which is not read; save it as JPEG or PNG.");
        }
        try
        {
            if (file.SeekablePath is not { } path)
                return Image.NewFromBuffer(file.ReadAll(), failOn: Enums.FailOn.Error);
            // As a source a path is a path, whose end in brackets is no list of options.
            using var source = Source.NewFromFile(path);
            return Image.NewFromSource(source, failOn: Enums.FailOn.Error);
        }
        catch (VipsException e) when (e.Message.Contains("known", StringComparison.Ordinal)
            && e.Message.Contains("format", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{file.Name}: not a readable image; save it as {Formats}.", e);
        }
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

namespace SapaGpu.Cli.Images;

/// <summary>Takes the palette out of a GIF file.</summary>
/// <remarks>CompuServe, <i>Graphics Interchange Format</i>, version 89a, sections 18 to 24.</remarks>
internal static class GifPalette
{
    private const int ScreenDescriptor = 6;
    private const int FirstBlock = 13;
    private const byte ImageSeparator = 0x2c;
    private const byte ExtensionIntroducer = 0x21;
    private const byte GraphicControl = 0xf9;

    /// <summary>Whether a file begins as a GIF does.</summary>
    public static bool IsGif(ReadOnlySpan<byte> start) => start.StartsWith("GIF8"u8);

    /// <summary>
    /// Makes the palette of the first image one of greys whose level is their index, all of them opaque, in place.
    /// </summary>
    /// <returns>The changed file and the palette that it had.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, or its image smaller than its area.</exception>
    public static (byte[] File, Palette Palette) Replace(byte[] file)
    {
        try
        {
            return ReplaceIn(file);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentException)
        {
            throw new InvalidDataException("the file is cut off", e);
        }
    }

    private static (byte[] File, Palette Palette) ReplaceIn(byte[] file)
    {
        int global = TableLength(file[ScreenDescriptor + 4]);
        int at = FirstBlock + global;
        byte[] alpha = [];
        while (file[at] == ExtensionIntroducer)
        {
            if (file[at + 1] == GraphicControl && (file[at + 3] & 1) != 0)
            {
                alpha = [.. Enumerable.Repeat(byte.MaxValue, file[at + 6]), 0];
                file[at + 3] &= 0xfe;
            }
            for (at += 2; file[at] != 0; at += file[at] + 1)
            {
            }
            at++;
        }
        if (file[at] != ImageSeparator)
            throw new InvalidDataException("there is no image");
        bool covers = file.AsSpan(at + 1, 4).IndexOfAnyExcept((byte)0) < 0
            && file.AsSpan(at + 5, 4).SequenceEqual(file.AsSpan(ScreenDescriptor, 4));
        if (!covers)
            throw new InvalidDataException("the image does not cover the whole area; save it as PNG");
        int local = TableLength(file[at + 9]);
        int length = local > 0 ? local : global;
        var table = file.AsSpan(local > 0 ? at + 10 : FirstBlock, length);
        var palette = new Palette(8, table.ToArray(), alpha);
        for (int i = 0; i < length; i++)
            table[i] = (byte)(i / Photo.Channels);
        return (file, palette);
    }

    private static int TableLength(byte flags) => (flags & 0x80) == 0 ? 0 : Photo.Channels << ((flags & 7) + 1);
}

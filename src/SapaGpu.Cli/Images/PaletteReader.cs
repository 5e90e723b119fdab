using NetVips;

namespace SapaGpu.Cli.Images;

/// <summary>
/// Reads images with a palette as indices and colours. libvips gives colours only: of a TIFF file the entry that calls
/// the samples indices is changed, of a GIF file the palette, so that libvips gives the indices.
/// </summary>
internal static class PaletteReader
{
    private const int PaletteInterpretation = 3;
    private const int GreyInterpretation = 1;

    /// <summary>Reads a file if it is a PNG, TIFF, GIF or BMP with a palette.</summary>
    /// <returns>The indices and the palette; null if the file is anything else.</returns>
    /// <exception cref="InvalidDataException">The file is such an image, but damaged or not supported.</exception>
    public static (Raster Indices, Palette Palette)? TryRead(InputFile file)
    {
        using var stream = file.OpenStream();
        if (IndexedPng.TryRead(stream, file.Name) is { } indexed)
            return indexed;
        try
        {
            var start = file.ReadStart(BmpReader.SignatureLength);
            if (BmpReader.IsBmp(start))
            {
                var bitmap = BmpReader.Read(file.ReadAll());
                return bitmap.Palette is { } palette ? (bitmap.ToRaster(), palette) : null;
            }
            if (GifPalette.IsGif(start))
                return ReadGif(file);
            return TiffDirectory.ReadAll(stream).FirstOrDefault() is { } directory
                && directory.First(TiffTag.Photometric, 0) == PaletteInterpretation
                ? ReadTiff(file, directory)
                : null;
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentException
            || e is InvalidDataException && !e.Message.StartsWith(file.Name, StringComparison.Ordinal))
        {
            string cause = e is InvalidDataException ? e.Message.TrimEnd('.') : "the file is damaged or cut off";
            throw new InvalidDataException($"{file.Name}: not a readable image ({cause}).", e);
        }
    }

    private static (Raster Indices, Palette Palette) ReadTiff(InputFile file, TiffDirectory directory)
    {
        int bits = (int)directory.First(TiffTag.BitsPerSample, 1);
        var map = directory.Read(TiffTag.ColourMap);
        if (bits is not (1 or 2 or 4 or 8) || directory.First(TiffTag.SamplesPerPixel, 1) != 1)
        {
            throw new InvalidDataException(
                $"{file.Name}: palettes of {bits} bits are not supported; save a palette of at most 256 colours.");
        }
        int count = 1 << bits;
        if (map.Length != Photo.Channels * count)
            throw new InvalidDataException("the palette is missing");
        // Colours have 16 bits, but some programs write 8.
        int shift = map.Max() > byte.MaxValue ? 8 : 0;
        var colours = new byte[map.Length];
        for (int i = 0; i < map.Length; i++)
            colours[i % count * Photo.Channels + i / count] = (byte)(map[i] >> shift);
        var bytes = (byte[])file.ReadAll().Clone();
        var indices = FirstBand(file, directory.Replace(bytes, TiffTag.Photometric, GreyInterpretation));
        // Grey samples of fewer bits come out spread over 8 bits.
        int step = byte.MaxValue / (count - 1);
        for (int i = 0; i < indices.Values.Length; i++)
            indices.Values[i] = MathF.Round(indices.Values[i] / step);
        return (indices, new Palette(bits, colours, []));
    }

    private static (Raster Indices, Palette Palette) ReadGif(InputFile file)
    {
        var (bytes, palette) = GifPalette.Replace((byte[])file.ReadAll().Clone());
        return (FirstBand(file, bytes), palette);
    }

    private static Raster FirstBand(InputFile file, byte[] bytes) => ImageSource.Decode(
        file,
        () => Image.NewFromBuffer(bytes, failOn: Enums.FailOn.Error),
        image =>
        {
            ImageSource.CheckPages(file, image);
            using var first = image[0];
            using var numbers = first.Cast(Enums.BandFormat.Float);
            return new Raster(numbers.Height, numbers.Width, 1, numbers.WriteToMemory<float>());
        });
}

using System.Buffers.Binary;
using System.IO.Compression;

namespace SapaGpu.Cli.Images;

/// <summary>
/// Reads and writes PNG files with a palette as indices and an ordered list of colours. Image libraries expand palettes
/// on reading and choose new ones on writing, which would lose the class indices of a label map.
/// </summary>
/// <remarks>W3C, <i>Portable Network Graphics Specification</i>, third edition: sections 7 to 11.</remarks>
internal static class IndexedPng
{
    private const byte IndexedColour = 3;
    private const int HeaderLength = 13;

    private static readonly (int Row, int Column, int RowStep, int ColumnStep)[] WholeImage = [(0, 0, 1, 1)];
    private static readonly (int Row, int Column, int RowStep, int ColumnStep)[] InterlacedPasses =
    [
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1),
    ];

    /// <summary>Reads a file if it is a PNG with a palette.</summary>
    /// <returns>The indices and the palette; null if the file is anything else.</returns>
    /// <exception cref="InvalidDataException">The file is such a PNG, but damaged.</exception>
    public static (Raster Indices, Palette Palette)? TryRead(string path)
    {
        using var stream = File.OpenRead(path);
        return TryRead(stream, path);
    }

    /// <summary>Reads a file if it is a PNG with a palette.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="name">The name of the file in messages.</param>
    /// <returns>The indices and the palette; null if the file is anything else.</returns>
    /// <exception cref="InvalidDataException">The file is such a PNG, but damaged.</exception>
    public static (Raster Indices, Palette Palette)? TryRead(Stream stream, string name)
    {
        if (!PngChunk.TryReadSignature(stream))
            return null;
        try
        {
            var header = PngChunk.Read(stream);
            if (header.Type != "IHDR" || header.Data.Length != HeaderLength)
                throw new InvalidDataException("the header is missing");
            if (header.Data[9] != IndexedColour)
                return null;
            return Read(stream, header.Data);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"{name}: not a readable PNG ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>Writes indices with their palette.</summary>
    public static void Write(string path, Raster indices, Palette palette)
    {
        var header = new byte[HeaderLength];
        BinaryPrimitives.WriteInt32BigEndian(header, indices.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), indices.Height);
        header[8] = (byte)palette.BitDepth;
        header[9] = IndexedColour;

        using var stream = File.Create(path);
        PngChunk.WriteSignature(stream);
        new PngChunk("IHDR", header).Write(stream);
        new PngChunk("PLTE", ColoursOf(indices, palette)).Write(stream);
        if (palette.Alpha.Length > 0)
            new PngChunk("tRNS", palette.Alpha).Write(stream);
        new PngChunk("IDAT", Compress(indices, palette.BitDepth)).Write(stream);
        new PngChunk("IEND", []).Write(stream);
    }

    private static (Raster Indices, Palette Palette) Read(Stream stream, byte[] header)
    {
        int width = BinaryPrimitives.ReadInt32BigEndian(header);
        int height = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4));
        int bitDepth = header[8], interlace = header[12];
        if (width < 1 || height < 1 || bitDepth is not (1 or 2 or 4 or 8) || interlace > 1)
            throw new InvalidDataException("the header is invalid");

        byte[]? colours = null;
        byte[] alpha = [];
        using var compressed = new MemoryStream();
        for (var chunk = PngChunk.Read(stream); chunk.Type != "IEND"; chunk = PngChunk.Read(stream))
        {
            switch (chunk.Type)
            {
                case "PLTE":
                    colours = chunk.Data;
                    break;
                case "tRNS":
                    alpha = chunk.Data;
                    break;
                case "eXIf" when IsTurned(chunk.Data):
                    throw new InvalidDataException("its EXIF orientation turns it; save it upright");
                case "IDAT":
                    compressed.Write(chunk.Data);
                    break;
            }
        }
        if (colours is null || colours.Length % Photo.Channels != 0)
            throw new InvalidDataException("the palette is missing");
        compressed.Position = 0;
        using var rows = new ZLibStream(compressed, CompressionMode.Decompress);
        var indices = new Raster(height, width, 1);
        foreach (var pass in interlace == 1 ? InterlacedPasses : WholeImage)
            ReadPass(rows, indices, bitDepth, pass);
        var palette = new Palette(bitDepth, colours, alpha);
        return (indices, palette);
    }

    private static bool IsTurned(byte[] exif) =>
        TiffDirectory.ReadAll(new MemoryStream(exif)).FirstOrDefault()?.First(TiffTag.Orientation, 1) > 1;

    private static void ReadPass(
        ZLibStream rows, Raster indices, int bitDepth, (int Row, int Column, int RowStep, int ColumnStep) pass)
    {
        int width = (indices.Width - pass.Column + pass.ColumnStep - 1) / pass.ColumnStep;
        if (width <= 0)
            return;
        var filter = new byte[1];
        byte[] line = new byte[RowBytes(width, bitDepth)], above = new byte[line.Length];
        for (int y = pass.Row; y < indices.Height; y += pass.RowStep)
        {
            rows.ReadExactly(filter);
            rows.ReadExactly(line);
            PngFilter.Undo(filter[0], line, above);
            for (int i = 0; i < width; i++)
                indices.PixelAt(y, pass.Column + i * pass.ColumnStep)[0] = IndexAt(line, i, bitDepth);
            (line, above) = (above, line);
        }
    }

    /// <summary>The palette with an entry for every index, as the format asks for.</summary>
    private static byte[] ColoursOf(Raster indices, Palette palette)
    {
        int count = Math.Max(palette.Count, (int)indices.Values.Max() + 1);
        var colours = new byte[count * Photo.Channels];
        palette.Colours.CopyTo(colours, 0);
        return colours;
    }

    private static byte[] Compress(Raster indices, int bitDepth)
    {
        using var compressed = new MemoryStream();
        using (var rows = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            // The first byte of a row names its filter; none is best for indices.
            var line = new byte[1 + RowBytes(indices.Width, bitDepth)];
            for (int y = 0; y < indices.Height; y++)
            {
                Array.Clear(line);
                for (int x = 0; x < indices.Width; x++)
                {
                    int bit = x * bitDepth;
                    line[1 + bit / 8] |= (byte)((int)indices.PixelAt(y, x)[0] << (8 - bitDepth - bit % 8));
                }
                rows.Write(line);
            }
        }
        return compressed.ToArray();
    }

    private static int RowBytes(int width, int bitDepth) => (int)(((long)width * bitDepth + 7) / 8);

    private static int IndexAt(byte[] line, int position, int bitDepth)
    {
        int bit = position * bitDepth;
        return line[bit / 8] >> (8 - bitDepth - bit % 8) & ((1 << bitDepth) - 1);
    }
}

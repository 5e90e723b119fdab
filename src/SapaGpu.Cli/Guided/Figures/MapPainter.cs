using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>Renders maps as images, all maps of a figure by the same rules.</summary>
internal abstract class MapPainter
{
    /// <summary>The painter for a kind of map.</summary>
    /// <param name="input">The small map, whose values set range and colours.</param>
    /// <param name="kind">The kind of map.</param>
    /// <param name="unknown">The mark of missing values; null if there is none.</param>
    public static MapPainter For(StoredMap input, MapKind kind, float? unknown)
    {
        bool showsColours = input.Raster.Channels >= Photo.Channels && input.Storage is ImageStorage;
        var known = ValueRange.Of(input.Raster, unknown);
        return kind switch
        {
            MapKind.Labels when input.Storage is ImageStorage { Palette: { } palette } => new PalettePainter(palette),
            MapKind.Labels when !showsColours => new ClassPainter(new ClassMap(input.Raster)),
            MapKind.Logits => new ClassNumberPainter(),
            MapKind.Depth when input.Raster.Channels == 1 => new NumberPainter(known, unknown),
            _ => new ColourPainter(
                (input.Storage as ImageStorage)?.Type.White() is { } white ? new ValueRange(0, white) : known),
        };
    }

    /// <summary>Paints a map.</summary>
    public Photo Paint(Raster map)
    {
        var picture = new Photo(map.Height, map.Width);
        Parallel.For(0, map.Height, row =>
        {
            for (int column = 0; column < map.Width; column++)
                PaintPixel(map.PixelAt(row, column), picture.PixelAt(row, column));
        });
        return picture;
    }

    /// <summary>Paints a pixel.</summary>
    protected abstract void PaintPixel(ReadOnlySpan<float> samples, Span<byte> colour);
}

/// <summary>Indices in the colours of their palette.</summary>
internal sealed class PalettePainter(Palette palette) : MapPainter
{
    /// <inheritdoc/>
    protected override void PaintPixel(ReadOnlySpan<float> samples, Span<byte> colour)
    {
        int index = (int)samples[0];
        if (index < palette.Count)
            palette.ColourOf(index).CopyTo(colour);
    }
}

/// <summary>Every class in a different colour; classes that the input does not have in black.</summary>
internal sealed class ClassPainter(ClassMap input) : MapPainter
{
    /// <inheritdoc/>
    protected override void PaintPixel(ReadOnlySpan<float> samples, Span<byte> colour)
    {
        if (input.Find(samples) is { } label)
            ColourScale.OfClass(label, colour);
    }
}

/// <summary>The numbers of classes in different colours.</summary>
internal sealed class ClassNumberPainter : MapPainter
{
    /// <inheritdoc/>
    protected override void PaintPixel(ReadOnlySpan<float> samples, Span<byte> colour) =>
        ColourScale.OfClass((int)samples[0], colour);
}

/// <summary>Numbers on a scale of colours; missing ones in black.</summary>
internal sealed class NumberPainter(ValueRange range, float? unknown) : MapPainter
{
    /// <inheritdoc/>
    protected override void PaintPixel(ReadOnlySpan<float> samples, Span<byte> colour)
    {
        if (!Unknown.Is(samples, unknown))
            ColourScale.OfNumber(range.Normalise(samples[0]), colour);
    }
}

/// <summary>Three channels as red, green and blue, fewer as grey, from black to white over a range.</summary>
internal sealed class ColourPainter(ValueRange range) : MapPainter
{
    /// <inheritdoc/>
    protected override void PaintPixel(ReadOnlySpan<float> samples, Span<byte> colour)
    {
        for (int c = 0; c < colour.Length; c++)
        {
            float sample = range.Normalise(samples.Length < Photo.Channels ? samples[0] : samples[c]);
            colour[c] = (byte)MathF.Round(Math.Clamp(sample, 0, 1) * byte.MaxValue);
        }
    }
}

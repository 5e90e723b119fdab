namespace SapaGpu.Cli.Images;

/// <summary>Colours for numbers and for classes.</summary>
internal static class ColourScale
{
    /// <summary>From far to near: dark blue, violet, red, orange, light yellow; ever lighter.</summary>
    private static readonly byte[][] Stops =
        [[12, 12, 60], [72, 24, 122], [156, 44, 104], [224, 92, 58], [250, 166, 44], [252, 246, 170]];

    /// <summary>The colour of a number from 0 to 1.</summary>
    public static void OfNumber(float number, Span<byte> colour)
    {
        float position = Math.Clamp(number, 0, 1) * (Stops.Length - 1);
        int stop = Math.Min((int)position, Stops.Length - 2);
        for (int c = 0; c < colour.Length; c++)
            colour[c] = (byte)MathF.Round(float.Lerp(Stops[stop][c], Stops[stop + 1][c], position - stop));
    }

    /// <summary>A colour for a class: hues that are far apart for neighbouring numbers, in three lightnesses.</summary>
    public static void OfClass(int label, Span<byte> colour)
    {
        // Steps of the golden section never repeat a hue.
        const double GoldenSection = 0.618033988749895;
        double hue = label * GoldenSection % 1 * 6;
        double value = 0.95 - label % 3 * 0.22;
        for (int c = 0; c < colour.Length; c++)
        {
            // Distance on the circle of hues from the hue of pure red, green or blue.
            double distance = Math.Abs((hue - 2 * c + 9) % 6 - 3);
            double brightness = Math.Clamp(2 - distance, 0, 1);
            colour[c] = (byte)Math.Round(byte.MaxValue * value * (0.35 + 0.65 * brightness));
        }
    }
}

namespace SapaGpu.Segmentation;

/// <summary>Draws classes in colours that differ in hue and lightness, and void in black.</summary>
internal static class ClassColours
{
    private static readonly byte[][] Colours =
    [
        [0x9E, 0xC9, 0xE8], [0xB0, 0x4A, 0x3C], [0xF2, 0xE2, 0x9B], [0x6E, 0x54, 0x7E], [0xD9, 0x8F, 0xC4],
        [0x4C, 0x8C, 0x3F], [0xF0, 0xA0, 0x30], [0x8C, 0x6B, 0x44], [0x2F, 0x5F, 0xB3], [0xE6, 0x3B, 0x5A],
        [0x2F, 0xB8, 0xA6], [0xC8, 0xC8, 0xC8],
    ];

    private static readonly byte[] Void = [0, 0, 0];

    /// <summary>The picture of a label map.</summary>
    public static Picture Draw(byte[] labels, int classes, int height, int width)
    {
        var pixels = new byte[labels.Length * ImageSet.Channels];
        for (int i = 0; i < labels.Length; i++)
        {
            var colour = labels[i] < classes ? Colours[labels[i] % Colours.Length] : Void;
            colour.CopyTo(pixels, i * ImageSet.Channels);
        }
        return new Picture(height, width, pixels);
    }
}

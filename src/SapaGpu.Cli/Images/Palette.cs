namespace SapaGpu.Cli.Images;

/// <summary>The colours of an image whose samples are indices, in their order.</summary>
/// <remarks>Indices beyond the last entry are black, as other readers show them.</remarks>
/// <param name="BitDepth">The bits of an index: 1, 2, 4 or 8.</param>
/// <param name="Colours">Red, green and blue of every entry, one after the other (the chunk PLTE).</param>
/// <param name="Alpha">The opacity of the first entries (the chunk tRNS); empty where all are opaque.</param>
internal sealed record Palette(int BitDepth, byte[] Colours, byte[] Alpha)
{
    private static readonly byte[] Black = new byte[Photo.Channels];

    /// <summary>The number of entries.</summary>
    public int Count => Colours.Length / Photo.Channels;

    /// <summary>The channels of its colours: three, or four where some are not opaque.</summary>
    public int ColourChannels => Alpha.Length == 0 ? Photo.Channels : Photo.Channels + 1;

    /// <summary>Whether the entries that both palettes have are of the same colours.</summary>
    public bool AgreesWith(Palette other)
    {
        int common = Math.Min(Colours.Length, other.Colours.Length);
        return Colours.AsSpan(0, common).SequenceEqual(other.Colours.AsSpan(0, common));
    }

    /// <summary>Red, green and blue of an entry.</summary>
    public ReadOnlySpan<byte> ColourOf(int index) =>
        index < Count ? Colours.AsSpan(index * Photo.Channels, Photo.Channels) : Black;

    /// <summary>Replaces the indices of a raster by their colours.</summary>
    public Raster Expand(Raster indices)
    {
        var colours = new Raster(indices.Height, indices.Width, ColourChannels);
        for (int i = 0; i < indices.Values.Length; i++)
        {
            int index = (int)indices.Values[i];
            var pixel = colours.Values.AsSpan(i * colours.Channels, colours.Channels);
            var colour = ColourOf(index);
            for (int c = 0; c < colour.Length; c++)
                pixel[c] = colour[c];
            if (ColourChannels > Photo.Channels)
                pixel[^1] = index < Alpha.Length ? Alpha[index] : byte.MaxValue;
        }
        return colours;
    }
}

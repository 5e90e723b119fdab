namespace SapaGpu.Cli.Guided.Models;

/// <summary>Features of a backbone as they are in their file.</summary>
/// <param name="Storage">How they were stored.</param>
/// <param name="Height">The rows of cells.</param>
/// <param name="Width">The columns of cells.</param>
/// <param name="Channels">The channels of a cell.</param>
/// <param name="Values">The values in the order of the file.</param>
internal sealed record FeatureArray(ArrayStorage Storage, int Height, int Width, int Channels, double[] Values)
{
    /// <summary>The order of the file as that of a map.</summary>
    public MemoryFormat Format =>
        Storage.Layout == ArrayLayout.ChannelsLast ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous;

    /// <summary>The size, width first.</summary>
    public string SizeText => $"{Width}x{Height}";

    /// <summary>All cells.</summary>
    public Region All => new(0, 0, Height, Width);

    /// <summary>The place of a value in the file.</summary>
    public int IndexOf(int channel, int row, int column) => Format == MemoryFormat.Contiguous
        ? (channel * Height + row) * Width + column
        : (row * Width + column) * Channels + channel;

    /// <summary>The values in an element type.</summary>
    /// <param name="name">The name of the file in messages.</param>
    /// <exception cref="InvalidDataException">A value is not finite, or the element type cannot hold it.</exception>
    public T[] To<T>(string name)
        where T : unmanaged
    {
        var rounded = new T[Values.Length];
        for (int i = 0; i < rounded.Length; i++)
        {
            rounded[i] = ElementTypes.FromDouble<T>(Values[i]);
            if (double.IsFinite(ElementTypes.ToDouble(rounded[i])))
                continue;
            throw new InvalidDataException(double.IsFinite(Values[i])
                ? $"{name}: the features have values beyond the range of {ElementTypes.Of<T>().ShortName()}; give --dtype f64, or " +
                  "scale them."
                : $"{name}: the features have values that are not finite; models average all cells of a window. Replace them.");
        }
        return rounded;
    }
}

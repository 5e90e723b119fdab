using System.Numerics;

namespace SapaGpu.Guided;

/// <summary>A small map in memory of the caller.</summary>
/// <typeparam name="T">The type of the values, any that counts or measures: byte, ushort, int, float, double and so on.</typeparam>
public readonly ref struct MapSpan<T>
    where T : unmanaged, INumber<T>
{
    /// <summary>Refers to a map.</summary>
    /// <param name="values">The values, row by row, [height, width, channels] with the channels of a cell side by side.</param>
    /// <param name="height">The rows.</param>
    /// <param name="width">The columns.</param>
    /// <param name="channels">The channels.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the values are not as many as the sizes say.</exception>
    public MapSpan(ReadOnlySpan<T> values, int height, int width, int channels = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        if (values.Length != (Int128)height * width * channels)
        {
            throw new ArgumentException(
                $"A map of {width}x{height} with {channels} channels has {(Int128)height * width * channels:N0} values; got " +
                $"{values.Length:N0}.",
                nameof(values));
        }
        Values = values;
        Height = height;
        Width = width;
        Channels = channels;
    }

    /// <summary>Gets the values.</summary>
    public ReadOnlySpan<T> Values { get; }

    /// <summary>Gets the rows.</summary>
    public int Height { get; }

    /// <summary>Gets the columns.</summary>
    public int Width { get; }

    /// <summary>Gets the channels.</summary>
    public int Channels { get; }

    internal Raster ToRaster()
    {
        var raster = new Raster(Height, Width, Channels);
        for (int i = 0; i < Values.Length; i++)
            raster.Values[i] = SampleConversion<T>.ToSingle(Values[i]);
        return raster;
    }
}

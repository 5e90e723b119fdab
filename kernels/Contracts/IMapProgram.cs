namespace SapaGpu.Kernels;

/// <summary>
/// A program that computes the values of a map one by one, each on its own: written once and run by
/// <see cref="Simt.MapKernel{TProgram, TParameters}"/> and <see cref="Simd.MapTiles{TProgram, TParameters}"/>.
/// </summary>
/// <typeparam name="TParameters">The parameter block.</typeparam>
public interface IMapProgram<TParameters>
    where TParameters : struct
{
    /// <summary>The values, and the order in which neighbouring threads take them.</summary>
    static abstract MapExtent Extent(in TParameters parameters);

    /// <summary>The floating-point operations of one value, roughly.</summary>
    static abstract double OperationsPerValue(in TParameters parameters);

    /// <summary>Computes one value.</summary>
    static abstract void Apply(in TParameters parameters, in MapPosition at);
}

/// <summary>The values that a map program computes.</summary>
public struct MapExtent
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>H, the rows.</summary>
    public int Height;

    /// <summary>W, the columns.</summary>
    public int Width;

    /// <summary>Whether channels, rather than columns, come first in the order of the values.</summary>
    public int ChannelsFirst;

    /// <summary>Gets the number of values.</summary>
    public readonly long Count => (long)Batch * Channels * Height * Width;

    /// <summary>The extent of a map, in the order of its memory.</summary>
    public static MapExtent Of<T>(in MapView<T> map, int batch, int channels, int height, int width)
        where T : unmanaged => new()
        {
            Batch = batch,
            Channels = channels,
            Height = height,
            Width = width,
            ChannelsFirst = map.ChannelStride < map.ColumnStride ? 1 : 0,
        };

    /// <summary>Finds the place of a value by its number.</summary>
    public readonly MapPosition Locate(long index)
    {
        var at = default(MapPosition);
        long rest;
        if (ChannelsFirst != 0)
        {
            rest = WholeNumber.Quotient(index, Channels);
            at.Channel = (int)(index - rest * Channels);
            index = rest;
        }
        rest = WholeNumber.Quotient(index, Width);
        at.Column = (int)(index - rest * Width);
        index = rest;
        rest = WholeNumber.Quotient(index, Height);
        at.Row = (int)(index - rest * Height);
        index = rest;
        if (ChannelsFirst == 0)
        {
            rest = WholeNumber.Quotient(index, Channels);
            at.Channel = (int)(index - rest * Channels);
            index = rest;
        }
        at.Image = (int)index;
        return at;
    }

    /// <summary>Moves on to the next value.</summary>
    public readonly void Advance(ref MapPosition at)
    {
        if (ChannelsFirst != 0)
        {
            if (++at.Channel < Channels)
                return;
            at.Channel = 0;
        }
        if (++at.Column < Width)
            return;
        at.Column = 0;
        if (++at.Row < Height)
            return;
        at.Row = 0;
        if (ChannelsFirst == 0)
        {
            if (++at.Channel < Channels)
                return;
            at.Channel = 0;
        }
        at.Image++;
    }
}

/// <summary>The place of a value in a map.</summary>
public struct MapPosition
{
    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The channel.</summary>
    public int Channel;

    /// <summary>The row.</summary>
    public int Row;

    /// <summary>The column.</summary>
    public int Column;

    /// <summary>The same place in a map.</summary>
    public readonly long In<T>(in MapView<T> map)
        where T : unmanaged => map.Offset(Image, Channel, Row, Column);
}

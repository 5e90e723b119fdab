using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Contracts;

/// <summary>The values that a map program computes.</summary>
internal struct MapExtent
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

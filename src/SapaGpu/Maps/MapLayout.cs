namespace SapaGpu.Maps;

/// <summary>The layout of a map: an offset into its memory and a stride for every dimension, in elements.</summary>
internal readonly record struct MapLayout(
    MemoryFormat Format, long Offset, long BatchStride, long ChannelStride, long RowStride, long ColumnStride)
{
    /// <summary>The layout without gaps.</summary>
    public static MapLayout Dense(MapShape shape, MemoryFormat format, long offset)
    {
        long plane = (long)shape.Height * shape.Width;
        return format == MemoryFormat.Contiguous
            ? new(format, offset, plane * shape.Channels, plane, shape.Width, 1)
            : new(format, offset, plane * shape.Channels, 1, (long)shape.Width * shape.Channels, shape.Channels);
    }

    /// <summary>The layout with given strides; the stride of a dimension of size 1 is ignored.</summary>
    /// <exception cref="ArgumentException">
    /// The strides fit neither format, or elements would share memory.
    /// </exception>
    public static MapLayout Strided(MapShape shape, MapStrides strides)
    {
        bool isContiguous = strides.Column == 1 || shape.Width == 1;
        bool isChannelsLast = strides.Channel == 1 || shape.Channels == 1;
        (long Stride, int Size)[] contiguous =
            [(1, shape.Width), (strides.Row, shape.Height), (strides.Channel, shape.Channels), (strides.Batch, shape.Batch)];
        (long Stride, int Size)[] channelsLast =
            [(1, shape.Channels), (strides.Column, shape.Width), (strides.Row, shape.Height), (strides.Batch, shape.Batch)];
        if (isContiguous && Nest(contiguous))
            return Of(MemoryFormat.Contiguous);
        if (isChannelsLast && Nest(channelsLast))
            return Of(MemoryFormat.ChannelsLast);
        throw new ArgumentException(
            $"{strides} does not fit a map of shape {shape}: columns must have stride 1 and rows, channels and " +
            "images larger ones (NCHW), or channels stride 1 and columns, rows and images larger ones (NHWC), and no " +
            "elements may overlap; copy the data first.",
            nameof(strides));

        // Dimensions of size 1 get the strides of a map without gaps.
        MapLayout Of(MemoryFormat format)
        {
            var dense = Dense(shape, format, 0);
            return new MapLayout(
                format,
                0,
                shape.Batch == 1 ? dense.BatchStride : strides.Batch,
                shape.Channels == 1 ? dense.ChannelStride : strides.Channel,
                shape.Height == 1 ? dense.RowStride : strides.Row,
                shape.Width == 1 ? dense.ColumnStride : strides.Column);
        }
    }

    /// <summary>The number of elements from the first to the last of the map, gaps included.</summary>
    public long Span(MapShape shape) =>
        (shape.Batch - 1) * BatchStride + (shape.Channels - 1) * ChannelStride
        + (shape.Height - 1) * RowStride + (shape.Width - 1) * ColumnStride + 1;

    /// <summary>The position, from the first element, of the i-th element in the order of the format.</summary>
    public long PositionOf(long i, MapShape shape)
    {
        if (Format == MemoryFormat.Contiguous)
        {
            (i, long x) = Math.DivRem(i, shape.Width);
            (i, long y) = Math.DivRem(i, shape.Height);
            (long b, long c) = Math.DivRem(i, shape.Channels);
            return b * BatchStride + c * ChannelStride + y * RowStride + x * ColumnStride;
        }
        else
        {
            (i, long c) = Math.DivRem(i, shape.Channels);
            (i, long x) = Math.DivRem(i, shape.Width);
            (long b, long y) = Math.DivRem(i, shape.Height);
            return b * BatchStride + c * ChannelStride + y * RowStride + x * ColumnStride;
        }
    }

    /// <summary>How many elements, in the order of the format, always lie in memory without a gap.</summary>
    public long RunLength(MapShape shape)
    {
        ReadOnlySpan<(long Stride, int Size)> dimensions = Format == MemoryFormat.Contiguous
            ? [(ColumnStride, shape.Width), (RowStride, shape.Height), (ChannelStride, shape.Channels), (BatchStride, shape.Batch)]
            : [(ChannelStride, shape.Channels), (ColumnStride, shape.Width), (RowStride, shape.Height), (BatchStride, shape.Batch)];
        long run = 1;
        foreach (var (stride, size) in dimensions)
        {
            if (size > 1 && stride != run)
                break;
            run *= size;
        }
        return run;
    }

    /// <summary>Reorders values from one format to another.</summary>
    public static T[] Reorder<T>(T[] values, MapShape shape, MemoryFormat from, MemoryFormat to)
    {
        if (from == to)
            return values;
        var target = Dense(shape, to, 0);
        var source = Dense(shape, from, 0);
        var result = new T[values.Length];
        for (int b = 0; b < shape.Batch; b++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                {
                    long at = b * source.BatchStride + y * source.RowStride + x * source.ColumnStride;
                    long into = b * target.BatchStride + y * target.RowStride + x * target.ColumnStride;
                    for (int c = 0; c < shape.Channels; c++)
                        result[into + c * target.ChannelStride] = values[at + c * source.ChannelStride];
                }
            }
        }
        return result;
    }

    // Whether the stride of every dimension is at least the extent of those inside it.
    private static bool Nest((long Stride, int Size)[] dimensions)
    {
        Int128 span = 1;
        foreach (var (stride, size) in dimensions)
        {
            if (size == 1)
                continue;
            if (stride < span)
                return false;
            span += (Int128)stride * (size - 1);
        }
        return span <= long.MaxValue / sizeof(double);
    }
}

namespace SapaGpu.Workloads.Vectors;

/// <summary>The order in which the files of a case hold maps.</summary>
internal enum VectorLayout
{
    /// <summary>[B, H, W, C].</summary>
    ChannelsLast,

    /// <summary>[B, C, H, W], or with one more dimension for values per group and point.</summary>
    ChannelsFirst,
}

/// <summary>The shapes of maps in files.</summary>
internal static class VectorLayouts
{
    /// <summary>The logical dimensions of a map in a file.</summary>
    /// <exception cref="InvalidDataException">It has another number of dimensions.</exception>
    public static MapShape ShapeOf(this VectorLayout layout, string vector, string name, int[] shape) =>
        (layout, shape.Length) switch
        {
            (VectorLayout.ChannelsLast, 4) => new MapShape(shape[0], shape[3], shape[1], shape[2]),
            (VectorLayout.ChannelsFirst, 4) => new MapShape(shape[0], shape[1], shape[2], shape[3]),
            (VectorLayout.ChannelsFirst, 5) => new MapShape(shape[0], shape[1] * shape[2], shape[3], shape[4]),
            _ => throw new InvalidDataException(
                $"{vector}: '{name}' has the shape [{string.Join(", ", shape)}], which is none of a map."),
        };
}

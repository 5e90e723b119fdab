namespace SapaGpu.Maps;

/// <summary>Whether a map can be read four channels at a time by aligned vector accesses.</summary>
internal static class Pack4Layout
{
    /// <summary>The channels of a pack.</summary>
    public const int Channels = 4;

    private const int AccessAlignment = 16;

    public static bool Fits(FeatureMap map) => Fits(map, Channels);

    /// <summary>Whether a map of 16-bit values can also be read two packs at a time.</summary>
    public static bool FitsTwice(FeatureMap map) => Fits(map, 2 * Channels);

    private static bool Fits(FeatureMap map, int channels)
    {
        var layout = map.Layout;
        int alignment = Math.Max(AccessAlignment, channels * map.ElementType.Size());

        // On OpenCL the pointer is a memory object, whose memory is aligned far beyond this.
        bool aligned = map.Device.Kind == DeviceKind.OpenCL || map.Memory.NativePointer % alignment == 0;
        return layout.ChannelStride == 1
            && map.Shape.Channels % channels == 0
            && layout.ColumnStride % channels == 0
            && layout.RowStride % channels == 0
            && layout.BatchStride % channels == 0
            && layout.Offset % channels == 0
            && aligned;
    }

    /// <summary>Whether the channels are whole packs, a number at a time.</summary>
    public static bool HasWholePacks(FeatureMap map, int packs) => map.Shape.Channels % (packs * Channels) == 0;

    /// <summary>Whether the columns are pairs, each one aligned access.</summary>
    public static bool HasColumnPairs(FeatureMap map) => HasColumns(map, 2) && map.Shape.Width % 2 == 0;

    /// <summary>Whether every four neighbouring columns, from the first on, can be written by one aligned access.</summary>
    public static bool HasColumnPacks(FeatureMap map) => HasColumns(map, 4);

    /// <summary>
    /// Whether the position of every element, counted in packs of four where these are accessed whole, has 31 bits.
    /// </summary>
    public static bool HasShortPositions(in MapLayout layout, MapShape shape, bool byPacks) =>
        (layout.Offset + layout.Span(shape)) / (byPacks ? Channels : 1) <= int.MaxValue;

    private static bool HasColumns(FeatureMap map, int count)
    {
        var layout = map.Layout;
        bool aligned =
            map.Device.Kind == DeviceKind.OpenCL || map.Memory.NativePointer % (count * map.ElementType.Size()) == 0;
        return layout.ColumnStride == 1
            && (layout.RowStride | layout.ChannelStride | layout.BatchStride | layout.Offset) % count == 0
            && aligned;
    }
}

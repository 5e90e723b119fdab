namespace SapaGpu.Maps;

/// <summary>Whether a map can be read four channels at a time by aligned vector accesses.</summary>
internal static class Pack4Layout
{
    private const int Channels = 4;
    private const int AccessAlignment = 16;

    public static bool Fits(FeatureMap map)
    {
        var layout = map.Layout;
        int alignment = Math.Max(AccessAlignment, Channels * map.ElementType.Size());

        // On OpenCL the pointer is a memory object, whose memory is aligned far beyond this.
        bool aligned = map.Device.Kind == DeviceKind.OpenCL || map.Memory.NativePointer % alignment == 0;
        return layout.ChannelStride == 1
            && map.Shape.Channels % Channels == 0
            && layout.ColumnStride % Channels == 0
            && layout.RowStride % Channels == 0
            && layout.BatchStride % Channels == 0
            && layout.Offset % Channels == 0
            && aligned;
    }
}

namespace SapaGpu.Launch;

/// <summary>
/// A map that is read at points, which may be anywhere, so that on the CPU nothing can be staged: a contiguous one is
/// copied into the channels-last format once.
/// </summary>
internal readonly ref struct ChannelsLastMap
{
    private readonly bool isCopy;

    public ChannelsLastMap(FeatureMap map)
    {
        isCopy = map.Device.RunsVectorPrograms && map.Layout.ChannelStride != 1;
        Map = isCopy ? FeatureMap.Create(map.Device, map.Shape, MemoryFormat.ChannelsLast, map.ElementType) : map;
        if (isCopy)
            ResamplingKernels.For(map).Copy(map, Map);
    }

    /// <summary>Gets the map or its copy.</summary>
    public FeatureMap Map { get; }

    public void Dispose()
    {
        if (isCopy)
            Map.Dispose();
    }
}

namespace SapaGpu.Launch;

/// <summary>
/// A map that is read at points, which may be anywhere, so that on the CPU nothing can be staged: one in planes is copied
/// into the channels-last format once.
/// </summary>
internal readonly ref struct ChannelsLastMap
{
    private readonly bool isCopy;

    public ChannelsLastMap(Tensor map)
    {
        isCopy = map.Device.RunsVectorPrograms && map.Layout.ChannelStride != 1;
        Tensor = isCopy ? Tensor.Create(map.Device, map.Shape, MemoryFormat.ChannelsLast, map.ElementType) : map;
        if (isCopy)
            ResamplingKernels.For(map.ElementType).Copy(map, Tensor);
    }

    /// <summary>Gets the map or its copy.</summary>
    public Tensor Tensor { get; }

    public void Dispose()
    {
        if (isCopy)
            Tensor.Dispose();
    }
}

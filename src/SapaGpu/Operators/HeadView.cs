namespace SapaGpu.Operators;

/// <summary>The channels of a map that belong to one head; the map itself where there is only one.</summary>
internal readonly ref struct HeadView<T>
    where T : unmanaged
{
    private readonly bool owned;

    public HeadView(FeatureMap<T> map, int head, int heads)
    {
        owned = heads > 1;
        int channels = map.Shape.Channels / heads;
        Map = owned ? map.Channels(head * channels, channels) : map;
    }

    public FeatureMap<T> Map { get; }

    public void Dispose()
    {
        if (owned)
            Map.Dispose();
    }
}

namespace SapaGpu.Operators;

/// <summary>The channels of a map that belong to one head; the map itself where there is only one.</summary>
internal readonly ref struct HeadView<T>
    where T : unmanaged
{
    private readonly bool owned;

    public HeadView(FeatureMap<T> tensor, int head, int heads)
    {
        owned = heads > 1;
        int channels = tensor.Shape.Channels / heads;
        Map = owned ? tensor.Channels(head * channels, channels) : tensor;
    }

    public FeatureMap<T> Map { get; }

    public void Dispose()
    {
        if (owned)
            Map.Dispose();
    }
}

using SapaGpu.Maps;

namespace SapaGpu.Tests.Maps;

/// <summary>
/// A tensor that is a view of a larger one. All around it is not a number, which must neither be read into a result nor
/// written over.
/// </summary>
public sealed class ViewOfTensor : IDisposable
{
    private readonly FeatureMap<float> whole;
    private readonly FeatureMap<float> channels;

    public ViewOfTensor(ComputeDevice device, MapShape shape, MemoryFormat format, int room)
    {
        var larger = new MapShape(
            shape.Batch, shape.Channels + 2 * room, shape.Height + 2 * room, shape.Width + 2 * room);
        whole = FeatureMap<float>.From(
            device, larger, Enumerable.Repeat(float.NaN, (int)larger.ElementCount).ToArray(), format);
        channels = whole.Channels(room, shape.Channels);
        View = channels.Crop(room, room, shape.Height, shape.Width);
    }

    public ViewOfTensor(ComputeDevice device, ReferenceMap map, MemoryFormat format, int room)
        : this(device, map.Shape, format, room) => View.CopyFrom(
            MapLayout.Reorder(
                Array.ConvertAll(map.Values, value => (float)value.Value), map.Shape, MemoryFormat.Contiguous, format));

    public FeatureMap<float> View { get; }

    /// <summary>Whether all around the view is as it was.</summary>
    public bool IsIntact() =>
        whole.ToArray().LongCount(value => !float.IsNaN(value)) <= View.Shape.ElementCount;

    public void Dispose()
    {
        View.Dispose();
        channels.Dispose();
        whole.Dispose();
    }
}

using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>
/// A map that is a view of a larger one, or all of it. Around the view nothing is a number, and has to stay so.
/// </summary>
internal sealed class PlacedMap<T> : IDisposable
    where T : unmanaged
{
    private readonly MapShape shape;
    private readonly Placement placement;
    private readonly List<FeatureMap<T>> views = [];

    /// <summary>Makes a map with values in contiguous order, or with none yet.</summary>
    public PlacedMap(ComputeDevice device, MapShape shape, Placement placement, ReferenceMap? values)
    {
        (this.shape, this.placement) = (shape, placement);
        var larger = placement.Around(shape);
        var all = new T[larger.ElementCount];
        Array.Fill(all, ElementTypes.FromDouble<T>(double.NaN));
        if (values is not null)
            ForEach((inside, outside) => all[outside] = ElementTypes.FromDouble<T>(values.Values[inside].Value));
        views.Add(FeatureMap<T>.From(device, larger, all, placement.Format));
        if (larger == shape)
            return;
        views.Add(views[^1].Images(placement.Images, shape.Batch));
        views.Add(views[^1].Channels(placement.Channels, shape.Channels));
        views.Add(views[^1].Crop(placement.Rows, placement.Columns, shape.Height, shape.Width));
    }

    public FeatureMap<T> View => views[^1];

    /// <summary>Fails where something around the view is a number now.</summary>
    public void CheckSurroundings(string name)
    {
        if (views.Count == 1)
            return;
        var all = views[0].ToArray();
        ForEach((_, outside) => all[outside] = ElementTypes.FromDouble<T>(double.NaN));
        int written = Array.FindIndex(all, value => !double.IsNaN(ElementTypes.ToDouble(value)));
        if (written >= 0)
            throw new FuzzFailureException($"Element {written} of the map around '{name}' was written.");
    }

    public void Dispose()
    {
        foreach (var view in views)
            view.Dispose();
    }

    // Numbers of the elements of the view in contiguous order and in the larger map.
    private void ForEach(Action<long, long> action)
    {
        var larger = placement.Around(shape);
        bool isContiguous = placement.Format == MemoryFormat.Contiguous;
        long inside = 0;
        for (int b = placement.Images; b < placement.Images + shape.Batch; b++)
        {
            for (int c = placement.Channels; c < placement.Channels + shape.Channels; c++)
            {
                for (int y = placement.Rows; y < placement.Rows + shape.Height; y++)
                {
                    for (int x = placement.Columns; x < placement.Columns + shape.Width; x++, inside++)
                    {
                        action(inside, isContiguous
                            ? (((long)b * larger.Channels + c) * larger.Height + y) * larger.Width + x
                            : (((long)b * larger.Height + y) * larger.Width + x) * larger.Channels + c);
                    }
                }
            }
        }
    }
}

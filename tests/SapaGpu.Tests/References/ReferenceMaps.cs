namespace SapaGpu.Tests;

/// <summary>Maps of the reference, made and changed position by position.</summary>
public static class ReferenceMaps
{
    /// <summary>A map whose values are given by their positions.</summary>
    public static ReferenceMap Build(MapShape shape, Func<int, int, int, int, Dual> valueAt)
    {
        var map = new ReferenceMap(shape);
        for (int b = 0; b < shape.Batch; b++)
        {
            for (int c = 0; c < shape.Channels; c++)
            {
                for (int y = 0; y < shape.Height; y++)
                {
                    for (int x = 0; x < shape.Width; x++)
                        map[b, c, y, x] = valueAt(b, c, y, x);
                }
            }
        }
        return map;
    }

    /// <summary>The channels of two maps, one after the other.</summary>
    public static ReferenceMap Concatenate(ReferenceMap first, ReferenceMap second)
    {
        int split = first.Shape.Channels;
        return Build(
            WithChannels(first.Shape, split + second.Shape.Channels),
            (b, c, y, x) => c < split ? first[b, c, y, x] : second[b, c - split, y, x]);
    }

    /// <summary>The same dimensions with other channels.</summary>
    public static MapShape WithChannels(MapShape shape, int channels) =>
        new(shape.Batch, channels, shape.Height, shape.Width);

    /// <summary>Rounds all values to what a type of tensors holds.</summary>
    public static ReferenceMap Rounded<T>(this ReferenceMap map)
        where T : unmanaged
    {
        for (int i = 0; i < map.Values.Length; i++)
            map.Values[i] = ElementTypes.ToDouble(ElementTypes.FromDouble<T>(map.Values[i].Value));
        return map;
    }
}

using SapaGpu.Maps;

namespace SapaGpu.Tests;

/// <summary>A feature map of the reference: [B, C, H, W], contiguous.</summary>
public sealed class ReferenceMap(MapShape shape)
{
    public MapShape Shape { get; } = shape;

    public Dual[] Values { get; } = new Dual[shape.ElementCount];

    public ref Dual this[int b, int c, int y, int x] =>
        ref Values[(((long)b * Shape.Channels + c) * Shape.Height + y) * Shape.Width + x];

    /// <summary>A map of random values in ±magnitude, exact in single precision.</summary>
    public static ReferenceMap Random(Random random, MapShape shape, double magnitude = 1)
    {
        var map = new ReferenceMap(shape);
        for (int i = 0; i < map.Values.Length; i++)
            map.Values[i] = (float)((random.NextDouble() * 2 - 1) * magnitude);
        return map;
    }

    public static ReferenceMap From(MapShape shape, double[] contiguous)
    {
        var map = new ReferenceMap(shape);
        for (int i = 0; i < contiguous.Length; i++)
            map.Values[i] = contiguous[i];
        return map;
    }

    /// <summary>The map with every value rounded to an element type.</summary>
    public ReferenceMap RoundedTo<T>()
        where T : unmanaged =>
        From(Shape, Array.ConvertAll(ToArray(), value => ElementTypes.ToDouble(Convert<T>(value))));

    public bool Holds(int y, int x) => y >= 0 && y < Shape.Height && x >= 0 && x < Shape.Width;

    public double[] ToArray() => Array.ConvertAll(Values, value => value.Value);

    /// <summary>The map as a tensor on a device.</summary>
    public FeatureMap<T> ToTensor<T>(ComputeDevice device, MemoryFormat format)
        where T : unmanaged
    {
        var values = Array.ConvertAll(Values, value => Convert<T>(value.Value));
        return FeatureMap<T>.From(
            device, Shape, MapLayout.Reorder(values, Shape, MemoryFormat.Contiguous, format), format);
    }

    public static T Convert<T>(double value)
        where T : unmanaged => ElementTypes.FromDouble<T>(value);
}

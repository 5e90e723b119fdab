using System.Runtime.InteropServices;

namespace SapaGpu.Tests;

/// <summary>
/// How much of a larger tensor lies before a view in each dimension; behind it lies one more, where any does.
/// </summary>
public readonly record struct Surroundings(int Images, int Channels, int Rows, int Columns)
{
    /// <summary>The shape of the larger tensor.</summary>
    public MapShape Around(MapShape shape) => new(
        shape.Batch + Both(Images), shape.Channels + Both(Channels), shape.Height + Both(Rows), shape.Width + Both(Columns));

    private static int Both(int before) => before == 0 ? 0 : before + 1;
}

/// <summary>
/// A tensor of any type that is a view of a larger one. The larger one is written and read as a whole, without the
/// copies of views that tests are about. All around the view is not a number, and so is the view until it is written.
/// </summary>
public sealed class SurroundedTensor<T> : IDisposable
    where T : unmanaged
{
    private readonly MapShape shape;
    private readonly MemoryFormat format;
    private readonly Surroundings room;
    private readonly T[] initial;
    private readonly FeatureMap<T>[] views;

    /// <summary>Makes the view with values in contiguous order, or with none yet.</summary>
    public SurroundedTensor(
        ComputeDevice device, MapShape shape, MemoryFormat format, Surroundings room, T[]? values = null)
    {
        (this.shape, this.format, this.room) = (shape, format, room);
        var larger = room.Around(shape);
        initial = new T[larger.ElementCount];
        Array.Fill(initial, ElementTypes.FromDouble<T>(double.NaN));
        if (values is not null)
            Exchange(initial, values, inwards: false);
        var whole = FeatureMap<T>.From(device, larger, initial, format);
        var images = whole.Images(room.Images, shape.Batch);
        var channels = images.Channels(room.Channels, shape.Channels);
        views = [channels.Crop(room.Rows, room.Columns, shape.Height, shape.Width), channels, images, whole];
    }

    public FeatureMap<T> View => views[0];

    /// <summary>The values in contiguous order; what lies around them has to be as it was.</summary>
    public T[] Read(string what)
    {
        var whole = views[^1].ToArray();
        var values = new T[shape.ElementCount];
        Exchange(whole, values, inwards: true);
        var expected = (T[])initial.Clone();
        Exchange(expected, values, inwards: false);
        Compare.Bitwise(whole, expected, $"around {what}");
        return values;
    }

    /// <summary>The values in contiguous order and double precision.</summary>
    public double[] ReadNumbers(string what) => Array.ConvertAll(Read(what), ElementTypes.ToDouble);

    public void Dispose()
    {
        foreach (var view in views)
            view.Dispose();
    }

    // Copies from the view in the larger tensor to values in contiguous order, or back.
    private void Exchange(T[] whole, T[] values, bool inwards)
    {
        var larger = room.Around(shape);
        bool isContiguous = format == MemoryFormat.Contiguous;
        long columnStep = isContiguous ? 1 : larger.Channels;
        long rowStep = columnStep * larger.Width;
        long channelStep = isContiguous ? rowStep * larger.Height : 1;
        long imageStep = (long)larger.Channels * larger.Height * larger.Width;
        long inside = 0;
        for (int b = 0; b < shape.Batch; b++)
        {
            for (int c = 0; c < shape.Channels; c++)
            {
                for (int y = 0; y < shape.Height; y++)
                {
                    long row =
                        (b + room.Images) * imageStep + (c + room.Channels) * channelStep + (y + room.Rows) * rowStep;
                    for (int x = 0; x < shape.Width; x++, inside++)
                    {
                        ref var outside = ref whole[row + (x + room.Columns) * columnStep];
                        if (inwards)
                            values[inside] = outside;
                        else
                            outside = values[inside];
                    }
                }
            }
        }
    }
}

/// <summary>
/// Values of every possible bit pattern: infinities, subnormal numbers and all kinds of not-a-number among them.
/// </summary>
public static class RandomBits
{
    public static T[] Of<T>(Random random, long count)
        where T : unmanaged
    {
        var values = new T[count];
        random.NextBytes(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}

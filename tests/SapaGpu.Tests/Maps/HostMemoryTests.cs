using System.Numerics.Tensors;
using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Maps;

/// <summary>Maps over memory of others, and their elements as spans and tensors.</summary>
public sealed class HostMemoryTests
{
    private static readonly MapShape Shape = new(2, 3, 4, 5);

    private static float[] Ascending(int count) => [.. Enumerable.Range(0, count).Select(i => (float)i)];

    [Test]
    public void A_span_is_the_memory_of_the_map([Values] MemoryFormat format)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var values = Ascending((int)Shape.ElementCount);
        using var map = FeatureMap<float>.From(device, Shape, values, format);
        Assert.That(map.AsSpan().ToArray(), Is.EqualTo(values));
        map.AsSpan()[7] = 100;
        Assert.That(map.ToArray()[7], Is.EqualTo(100));
    }

    [Test]
    public void Views_with_gaps_and_disposed_maps_have_no_span()
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var map = FeatureMap<float>.Create(device, Shape);
        using (var crop = map.Crop(0, 0, 2, 2))
            Assert.That(() => crop.AsSpan(), Throws.TypeOf<NotSupportedException>());
        map.Dispose();
        Assert.That(() => map.AsSpan(), Throws.TypeOf<ObjectDisposedException>());
    }

    // A part of a larger array, in both formats, is computed with like a copy of it.
    [DeviceGrid]
    public unsafe void Memory_with_gaps_is_wrapped([Values] MemoryFormat format)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        bool isPlanar = format == MemoryFormat.Contiguous;
        var whole = new MapShape(2, 6, 7, 9);
        var strides = isPlanar ? new MapStrides(6 * 7 * 9, 7 * 9, 9, 1) : new MapStrides(7 * 9 * 6, 1, 9 * 6, 6);
        var values = Ascending((int)whole.ElementCount);
        fixed (float* pointer = values)
        {
            int first = (int)(strides.Row + 2 * strides.Column + strides.Channel);
            using var wrapped = FeatureMap<float>.Wrap(device, (nint)(pointer + first), Shape, strides);
            using var untyped = FeatureMap.Wrap(
                ElementType.Float32, device, (nint)(pointer + first), Shape, strides);
            using var all = FeatureMap<float>.From(device, whole, values, format);
            using var rows = all.Crop(1, 2, Shape.Height, Shape.Width);
            using var expected = rows.Channels(1, Shape.Channels);
            Assert.That(wrapped.Format, Is.EqualTo(format));
            Assert.That(wrapped.ToArray(), Is.EqualTo(expected.ToArray()));
            Assert.That(((FeatureMap<float>)untyped).ToArray(), Is.EqualTo(expected.ToArray()));
            using var resized = Interpolate.Forward(wrapped, 9, 11);
            using var resizedCopy = Interpolate.Forward(expected, 9, 11);
            Assert.That(resized.ToArray(), Is.EqualTo(resizedCopy.ToArray()));
        }
    }

    [TestCase(60, 20, 5, 2, Description = "no dimension lies side by side")]
    [TestCase(60, 20, 4, 1, Description = "rows overlap")]
    [TestCase(60, 15, 5, 1, Description = "channels overlap")]
    [TestCase(30, 20, 5, 1, Description = "images overlap")]
    [TestCase(60, 20, -5, 1, Description = "rows run backwards")]
    [TestCase(60, 20, 0, 1, Description = "all rows are one")]
    public unsafe void Strides_that_share_elements_are_refused(long batch, long channel, long row, long column)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var values = new float[1000];
        fixed (float* pointer = values)
        {
            nint address = (nint)pointer;
            Assert.That(
                () => FeatureMap<float>.Wrap(device, address, Shape, new MapStrides(batch, channel, row, column)),
                Throws.ArgumentException.With.Message.Contains("copy the data"));
        }
    }

    [Test]
    public unsafe void Dimensions_of_one_have_no_stride_that_matters()
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var values = Ascending(12);
        fixed (float* pointer = values)
        {
            using var map = FeatureMap<float>.Wrap(
                device, (nint)pointer, new MapShape(1, 1, 3, 4), new MapStrides(0, -7, 4, 1));
            Assert.That(map.IsDense);
            Assert.That(map.AsSpan().ToArray(), Is.EqualTo(values));
        }
    }

    // Each wrap used to be in a list that the collector walks; thousands a second held up the process.
    [Test]
    public unsafe void A_wrap_leaves_nothing_behind()
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var values = new float[64];
        fixed (float* pointer = values)
        {
            for (int i = 0; i < 10_000; i++)
                FeatureMap<float>.Wrap(device, (nint)pointer, new MapShape(1, 1, 8, 8)).Dispose();
            long pending = GC.GetGCMemoryInfo(GCKind.Any).FinalizationPendingCount;
            GC.Collect();
            Assert.That(GC.GetGCMemoryInfo(GCKind.Any).FinalizationPendingCount, Is.LessThan(pending + 1000));
        }
    }

    [Test]
    public void Tensors_come_and_go([Values] MemoryFormat format)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        nint[] sizes = format == MemoryFormat.Contiguous ? [2, 3, 4, 5] : [2, 4, 5, 3];
        var tensor = Tensor.Create(Ascending(120), sizes);
        using var map = tensor.AsReadOnlyTensorSpan().ToFeatureMap(device, format);
        Assert.That(map.Shape, Is.EqualTo(Shape));
        Assert.That(map.Format, Is.EqualTo(format));
        var back = map.ToTensor();
        Assert.That(back.Lengths.ToArray(), Is.EqualTo(sizes));
        Assert.That(back[1, 2, 3, 2], Is.EqualTo(tensor[1, 2, 3, 2]));
        map.AsTensorSpan()[1, 2, 3, 2] = -1;
        Assert.That(map.ToTensor()[1, 2, 3, 2], Is.EqualTo(-1));
    }

    [Test]
    public void A_tensor_of_another_rank_is_refused()
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var tensor = Tensor.Create(Ascending(120), [30, 4]);
        Assert.That(
            () => tensor.AsReadOnlyTensorSpan().ToFeatureMap(device),
            Throws.ArgumentException.With.Message.Contains("reshape"));
    }
}

using System.Runtime.InteropServices;
using NUnit.Framework;
using SapaGpu.Maps;

namespace SapaGpu.Tests.Maps;

/// <summary>Which views share elements, and that writing one leaves the others as they are.</summary>
[TestFixture]
public sealed class MapOverlapTests
{
    private static readonly MapShape Whole = new(3, 5, 6, 7);

    [Test]
    public void Views_overlap_where_they_have_an_element_in_common([Values] MemoryFormat format)
    {
        var random = new Random(3);
        using var map = FeatureMap<float>.Create(TestDevices.Open("cpu"), Whole, format);
        int overlapping = 0;
        const int Pairs = 3000;
        for (int i = 0; i < Pairs; i++)
        {
            using var a = View(map, random);
            using var b = View(map, random);
            bool expected = Positions(a).Overlaps(Positions(b));
            Assert.That(MapOverlap.Exists(a, b), Is.EqualTo(expected), $"{a} at {a.Layout}, {b} at {b.Layout}");
            overlapping += expected ? 1 : 0;
        }
        Assert.That(overlapping, Is.InRange(Pairs / 10, 9 * Pairs / 10));
    }

    [Test]
    public unsafe void Maps_of_other_strides_and_types_over_the_same_memory_are_compared_by_bytes()
    {
        var device = TestDevices.Open("cpu");
        const int Bytes = 4096;
        nint memory = (nint)NativeMemory.AlignedAlloc(Bytes, 64);
        var random = new Random(5);
        try
        {
            for (int i = 0; i < 3000; i++)
            {
                using var a = Wrapped(device, memory, random, out var first);
                using var b = Wrapped(device, memory, random, out var second);
                Assert.That(MapOverlap.Exists(a, b), Is.EqualTo(first.Overlaps(second)), $"{a} at {a.Layout}, {b} at {b.Layout}");
            }
        }
        finally
        {
            NativeMemory.AlignedFree((void*)memory);
        }
    }

    [Test]
    public void One_half_of_a_map_may_be_computed_from_the_other(
        [Values("cpu", "emulator")] string device, [Values] MemoryFormat format)
    {
        using var map = FeatureMap<float>.From(
            TestDevices.Open(device), new MapShape(1, 2, 4, 6), [.. Enumerable.Range(0, 48).Select(i => (float)i)], format);
        using var left = map.Crop(0, 0, 4, 3);
        using var right = map.Crop(0, 3, 4, 3);
        using var middle = map.Crop(0, 2, 4, 3);
        right.CopyFrom(left);
        Assert.That(right.ToArray(), Is.EqualTo(left.ToArray()));
        Interpolate.Forward(right, left, InterpolationMode.Nearest);
        Assert.That(() => left.CopyFrom(middle), Throws.ArgumentException.With.Message.Contains("shares memory"));
    }

    [Test]
    [NonParallelizable]
    public void Threads_that_write_views_side_by_side_lose_nothing(
        [Values] MemoryFormat format, [Values("columns", "channels", "rows")] string split, [Values] bool byKernel)
    {
        var device = TestDevices.Open("cpu");
        using var map = FeatureMap<float>.Create(device, new MapShape(2, 8, 32, 32), format);
        map.Clear();
        var (first, second) = split switch
        {
            "columns" => (map.Crop(0, 0, 32, 15), map.Crop(0, 15, 32, 17)),
            "channels" => (map.Channels(0, 3), map.Channels(3, 5)),
            _ => (map.Crop(0, 0, 11, 32), map.Crop(11, 0, 21, 32)),
        };
        using var one = first;
        using var other = second;
        using var source = FeatureMap<float>.Create(device, second.Shape, format);
        var values = new float[first.Shape.ElementCount];
        var otherValues = new float[second.Shape.ElementCount];
        for (int round = 1; round <= 200; round++)
        {
            values.AsSpan().Fill(round);
            otherValues.AsSpan().Fill(-round);
            source.CopyFrom(otherValues);
            bool clears = round % 3 == 0;
            using var start = new Barrier(2);
            var thread = new Thread(() =>
            {
                start.SignalAndWait();
                if (byKernel)
                    second.CopyFrom(source);
                else
                    second.CopyFrom(otherValues);
            });
            thread.Start();
            start.SignalAndWait();
            if (clears)
                first.Clear();
            else
                first.CopyFrom(values);
            thread.Join();
            Assert.That(first.ToArray(), Is.All.EqualTo(clears ? 0f : round), $"round {round}");
            Assert.That(second.ToArray(), Is.All.EqualTo(-round), $"round {round}");
        }
    }

    [TestCaseSource(typeof(TestDevices), nameof(TestDevices.All))]
    public void A_view_with_gaps_is_written_and_cleared_alone(string device)
    {
        var random = new Random(11);
        var opened = TestDevices.Open(device);
        foreach (var format in Enum.GetValues<MemoryFormat>())
        {
            for (int i = 0; i < 12; i++)
            {
                var before = Enumerable.Range(0, (int)Whole.ElementCount).Select(n => n + 1f).ToArray();
                using var map = FeatureMap<float>.From(opened, Whole, before, format);
                using var view = View(map, random);
                var values = Enumerable.Range(0, (int)view.Shape.ElementCount).Select(n => -1f - n).ToArray();
                view.CopyFrom(values);
                Assert.That(view.ToArray(), Is.EqualTo(values), $"{device} {view}");
                view.Clear();
                var own = Positions(view);
                var expected = before.Select((value, at) => own.Contains(at) ? 0 : value);
                Assert.That(map.ToArray(), Is.EqualTo(expected), $"{device} {view}");
            }
        }
    }

    private static FeatureMap<float> View(FeatureMap<float> map, Random random)
    {
        var (row, height) = Part(Whole.Height, random);
        var (column, width) = Part(Whole.Width, random);
        var (channel, channels) = Part(Whole.Channels, random);
        var (image, images) = Part(Whole.Batch, random);
        using var cropped = map.Crop(row, column, height, width);
        using var some = cropped.Channels(channel, channels);
        return some.Images(image, images);
    }

    private static (int First, int Count) Part(int size, Random random)
    {
        int first = random.Next(size);
        return (first, random.Next(1, size - first + 1));
    }

    // Where the elements lie in the memory, in elements.
    private static HashSet<long> Positions(FeatureMap map) =>
    [
        .. Enumerable.Range(0, (int)map.Shape.ElementCount).Select(i => map.Layout.Offset + map.Layout.PositionOf(i, map.Shape)),
    ];

    private static FeatureMap Wrapped(ComputeDevice device, nint memory, Random random, out HashSet<long> bytes)
    {
        var shape = new MapShape(random.Next(1, 3), random.Next(1, 4), random.Next(1, 4), random.Next(1, 4));
        long row = shape.Width + random.Next(4);
        long channel = row * shape.Height + random.Next(6);
        var strides = new MapStrides(channel * shape.Channels + random.Next(5), channel, row, 1);
        bool isWide = random.Next(2) == 0;
        int size = isWide ? sizeof(double) : sizeof(ushort);
        long offset = random.Next(100) * size;
        FeatureMap map = isWide
            ? FeatureMap<double>.Wrap(device, memory + (nint)offset, shape, strides)
            : FeatureMap<Half>.Wrap(device, memory + (nint)offset, shape, strides);
        bytes =
        [
            .. Enumerable.Range(0, (int)shape.ElementCount).SelectMany(i => Enumerable.Range(0, size)
                .Select(b => offset + map.Layout.PositionOf(i, shape) * size + b)),
        ];
        return map;
    }
}

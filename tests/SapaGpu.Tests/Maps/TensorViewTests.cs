using NUnit.Framework;
using SapaGpu.Tests.Grids;
using SapaGpu.Tests.Operators;

namespace SapaGpu.Tests.Maps;

/// <summary>Views of channels, copies between tensors, and what may share memory in one call.</summary>
[TestFixture]
public sealed class TensorViewTests
{
    private static readonly MapShape Shape = new(2, 5, 3, 4);

    [Test]
    [DeviceGrid]
    public void Channels_are_read_and_written_in_their_place(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var map = ReferenceMap.Random(new Random(1), Shape);
        using var tensor = map.ToTensor<float>(TestDevices.Open(device), format);
        using var view = tensor.Channels(1, 3);
        Assert.That(view.Shape, Is.EqualTo(new MapShape(2, 3, 3, 4)));
        Assert.That(view.Format, Is.EqualTo(format));
        Assert.That(view.IsDense, Is.False);
        Assert.That(Compare.Values(view), Is.EqualTo(Part(map, 1, 3)));
        using var inner = view.Channels(2, 1);
        Assert.That(Compare.Values(inner), Is.EqualTo(Part(map, 3, 1)));

        inner.CopyFrom(Enumerable.Repeat(7f, 2 * 12).ToArray());
        view.Channels(0, 1).Clear();
        var expected = ReferenceMaps.Build(
            Shape, (b, c, y, x) => c switch { 3 => 7, 1 => 0, _ => map[b, c, y, x] });
        Assert.That(Compare.Values(tensor), Is.EqualTo(expected.ToArray()));
    }

    [Test]
    public void A_view_keeps_the_memory_of_a_tensor_that_was_disposed()
    {
        var map = ReferenceMap.Random(new Random(2), Shape);
        var tensor = map.ToTensor<float>(TestDevices.Open("cpu"), MemoryFormat.Contiguous);
        using var view = tensor.Channels(2, 2);
        tensor.Dispose();
        using var other = FeatureMap<float>.Create(TestDevices.Open("cpu"), Shape);
        other.Clear();
        Assert.That(Compare.Values(view), Is.EqualTo(Part(map, 2, 2)));
        Assert.That(() => tensor.Channels(0, 1), Throws.TypeOf<ObjectDisposedException>());
    }

    [TestCase(-1, 1)]
    [TestCase(0, 0)]
    [TestCase(0, 6)]
    [TestCase(5, 1)]
    [TestCase(1, int.MaxValue)]
    [TestCase(int.MaxValue, 1)]
    public void Channels_outside_the_tensor_are_refused(int first, int count)
    {
        using var tensor = FeatureMap<float>.Create(TestDevices.Open("cpu"), Shape);
        Assert.That(() => tensor.Channels(first, count), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    [DeviceGrid]
    public void Tensors_are_copied_across_formats_and_views(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] MemoryFormat from,
        [Values] MemoryFormat to)
    {
        Copy<float>(TestDevices.Open(device), from, to);
        Copy<double>(TestDevices.Open(device), from, to);
        Copy<Half>(TestDevices.Open(device), from, to);
        Copy<BFloat16>(TestDevices.Open(device), from, to);
    }

    [Test]
    [DeviceGrid]
    public void Channels_may_be_copied_to_other_channels_of_the_same_tensor(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var map = ReferenceMap.Random(new Random(4), Shape);
        using var tensor = map.ToTensor<float>(TestDevices.Open(device), format);
        using var source = tensor.Channels(0, 2);
        using var target = tensor.Channels(3, 2);
        using var between = tensor.Channels(1, 2);
        target.CopyFrom(source);
        var expected = ReferenceMaps.Build(Shape, (b, c, y, x) => map[b, c < 3 ? c : c - 3, y, x]);
        Assert.That(Compare.Values(tensor), Is.EqualTo(expected.ToArray()));
        foreach (var (written, read) in new[] { (between, source), (target, target), (source, between) })
            Assert.That(() => written.CopyFrom(read), Throws.ArgumentException.With.Message.Contains("shares memory"));
    }

    [Test]
    public void A_copy_of_another_shape_device_or_of_nothing_is_refused()
    {
        var opened = TestDevices.Open("cpu");
        using var tensor = FeatureMap<float>.Create(opened, Shape);
        using var thin = FeatureMap<float>.Create(opened, new MapShape(2, 4, 3, 4));
        using var elsewhere = FeatureMap<float>.Create(TestDevices.Open("emulator"), Shape);
        Assert.That(() => tensor.CopyFrom(thin), Throws.ArgumentException.With.Message.Contains("[2, 4, 3, 4]"));
        Assert.That(() => tensor.CopyFrom(elsewhere), Throws.TypeOf<DeviceMismatchException>());
        Assert.That(() => tensor.CopyFrom((FeatureMap<float>)null!), Throws.ArgumentNullException);
        var gone = FeatureMap<float>.Create(opened, Shape);
        gone.Dispose();
        Assert.That(() => tensor.CopyFrom(gone), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => gone.CopyFrom(tensor), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    [DeviceGrid]
    public void Results_may_be_written_side_by_side_into_one_tensor(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        SideBySide<float>(TestDevices.Open(device), format);
        SideBySide<Half>(TestDevices.Open(device), format);
    }

    [Test]
    public void Results_in_the_same_channels_are_refused([Values] MemoryFormat format)
    {
        var opened = TestDevices.Open("cpu");
        var operands = new AttentionCase(new WindowProblem(2, 3, 4, 3, 1, 2, 3), BorderRule.ZeroLogit);
        using var query = operands.Query.ToTensor<float>(opened, format);
        using var key = operands.Key.ToTensor<float>(opened, format);
        using var value = operands.Value.ToTensor<float>(opened, format);
        using var gradOutput = operands.GradOutput.ToTensor<float>(opened, format);
        using var all = FeatureMap<float>.Create(opened, new MapShape(2, 7, 3, 4), format);
        using var first = all.Channels(0, 2);
        using var second = all.Channels(1, 2);
        using var third = all.Channels(2, 3);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            Assert.That(
                () => WindowAttention.Backward(context, gradOutput, first, second, null),
                Throws.ArgumentException.With.Message.Contains("gradQuery").And.Message.Contains("gradKey"));
            Assert.That(
                () => WindowAttention.Backward(context, gradOutput, first, first, null), Throws.ArgumentException);
            Assert.That(
                () => WindowAttention.Backward(context, gradOutput, null, second, third), Throws.ArgumentException);
            Assert.That(
                () => WindowAttention.Backward(context, gradOutput, query, null, null), Throws.ArgumentException);
            Assert.That(() => WindowAttention.Backward(context, gradOutput, first, null, third), Throws.Nothing);
        }
        using var map = FeatureMap<float>.Create(opened, new MapShape(1, 4, 3, 4), format);
        using var low = map.Channels(0, 2);
        using var high = map.Channels(2, 2);
        using var both = map.Channels(1, 2);
        Assert.That(() => Interpolate.Forward(low, high), Throws.Nothing);
        Assert.That(() => Interpolate.Forward(low, both), Throws.ArgumentException);
    }

    [Test]
    [DeviceGrid]
    public void Values_of_16_bits_come_back_to_the_last_bit(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var shape = new MapShape(16, 16, 16, 16);
        var halves = Enumerable.Range(0, 1 << 16).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits)).ToArray();
        using var half = FeatureMap<Half>.From(opened, shape, halves, format);
        Compare.Bitwise(half.ToArray(), halves, $"{device} f16");
        var narrow = Enumerable.Range(0, 1 << 16).Select(bits => BFloat16.FromBits((ushort)bits)).ToArray();
        using var bfloat = FeatureMap<BFloat16>.From(opened, shape, narrow, format);
        Compare.Bitwise(bfloat.ToArray(), narrow, $"{device} bf16");
        Assert.That(half.ElementType, Is.EqualTo(ElementType.Float16));
        Assert.That(bfloat.ElementType, Is.EqualTo(ElementType.BFloat16));
        Assert.That($"{half} {bfloat}", Does.Contain(" f16 ").And.Contain(" bf16 "));
        using var part = half.Crop(1, 2, 3, 4);
        using var copy = part.To(MemoryFormat.Contiguous);
        Compare.Bitwise(copy.ToArray(), part.ToArray(MemoryFormat.Contiguous), $"{device} crop");
        bfloat.Clear();
        Assert.That(bfloat.ToArray().Select(value => value.ToBits()), Is.All.EqualTo(0));
    }

    private static void Copy<T>(ComputeDevice device, MemoryFormat from, MemoryFormat to)
        where T : unmanaged
    {
        var map = ReferenceMap.Random(new Random(3), Shape).Rounded<T>();
        using var source = map.ToTensor<T>(device, from);
        using var target = FeatureMap<T>.Create(device, Shape, to);
        target.CopyFrom(source);
        Assert.That(Compare.Values(target), Is.EqualTo(map.ToArray()), $"{device} {typeof(T).Name}");

        using var larger = FeatureMap<T>.Create(device, new MapShape(2, 6, 5, 6), to);
        larger.Clear();
        using var hole = larger.Channels(2, 3).Crop(1, 1, 3, 4);
        using var part = source.Channels(1, 3);
        hole.CopyFrom(part);
        var expected = ReferenceMaps.Build(
            larger.Shape,
            (b, c, y, x) =>
                c is >= 2 and < 5 && y is >= 1 and < 4 && x is >= 1 and < 5 ? map[b, c - 1, y - 1, x - 1] : 0);
        Assert.That(Compare.Values(larger), Is.EqualTo(expected.ToArray()), $"{device} {typeof(T).Name} views");
    }

    private static void SideBySide<T>(ComputeDevice device, MemoryFormat format)
        where T : unmanaged
    {
        var operands = new AttentionCase(new WindowProblem(2, 3, 4, 3, 1, 2, 3), BorderRule.ZeroLogit);
        using var query = operands.Query.ToTensor<T>(device, format);
        using var key = operands.Key.ToTensor<T>(device, format);
        using var value = operands.Value.ToTensor<T>(device, format);
        using var gradOutput = operands.GradOutput.ToTensor<T>(device, format);
        using var all = FeatureMap<T>.Create(device, new MapShape(2, 9, 3, 4), format);
        all.Clear();
        using var gradQuery = all.Channels(1, 2);
        using var gradKey = all.Channels(3, 2);
        using var gradValue = all.Channels(5, 3);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            WindowAttention.Backward(context, gradOutput, gradQuery, gradKey, gradValue);
            using var expected = WindowAttention.Backward(context, gradOutput);
            Near.Backward(gradQuery, Compare.Values(expected.Query!), $"query, {device}");
            Near.Backward(gradKey, Compare.Values(expected.Key!), $"key, {device}");
            Near.Backward(gradValue, Compare.Values(expected.Value!), $"value, {device}");
        }
        using var before = all.Channels(0, 1);
        using var behind = all.Channels(8, 1);
        Assert.That(
            Compare.Values(before).Concat(Compare.Values(behind)), Is.All.EqualTo(0), $"{device} {typeof(T).Name}");
    }

    private static double[] Part(ReferenceMap map, int first, int count) => ReferenceMaps.Build(
        ReferenceMaps.WithChannels(map.Shape, count), (b, c, y, x) => map[b, first + c, y, x]).ToArray();
}

using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>Interpolation to any size and its adjoint, on every device.</summary>
[TestFixture]
public sealed class InterpolateTests
{
    // Larger, smaller, both at once; one row, one column, one cell; ratios that are no integers.
    private static readonly (int Height, int Width, int OutputHeight, int OutputWidth)[] Sizes =
    [
        (2, 3, 4, 6), (2, 3, 5, 4), (7, 5, 3, 2), (1, 4, 3, 9), (5, 1, 2, 1), (1, 1, 1, 1), (1, 1, 4, 3), (4, 3, 1, 1),
        (3, 5, 3, 5), (6, 2, 4, 11), (2, 9, 33, 5), (8, 8, 4, 2), (3, 3, 2, 1),
    ];

    private static IEnumerable<(InterpolationMode Mode, bool AlignCorners)> Modes =>
        [(InterpolationMode.Nearest, false), (InterpolationMode.Bilinear, false), (InterpolationMode.Bilinear, true)];

    [Test]
    [DeviceGrid]
    public void Forward_and_backward_match_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] MemoryFormat format,
        [ValueSource(nameof(Modes))] (InterpolationMode Mode, bool AlignCorners) how)
    {
        var (mode, alignCorners) = how;
        var opened = TestDevices.Open(device);
        foreach (var size in Sizes)
        {
            Run<double>(opened, format, size, mode, alignCorners);
            Run<float>(opened, format, size, mode, alignCorners);
            Run<Half>(opened, format, size, mode, alignCorners);
            Run<BFloat16>(opened, format, size, mode, alignCorners);
        }
    }

    [Test]
    [DeviceGrid]
    public void Backward_is_the_adjoint_of_forward(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [ValueSource(nameof(Modes))] (InterpolationMode Mode, bool AlignCorners) how)
    {
        var (mode, alignCorners) = how;
        var opened = TestDevices.Open(device);
        var low = new MapShape(2, 5, 31, 44);
        var high = new MapShape(2, 5, 97, 120);
        foreach (var (input, output) in new[] { (low, high), (high, low) })
        {
            var random = new Random(3);
            using var x = ReferenceMap.Random(random, input).ToTensor<double>(opened, MemoryFormat.ChannelsLast);
            using var y = ReferenceMap.Random(random, output).ToTensor<double>(opened, MemoryFormat.Contiguous);
            using var forward = Interpolate.Forward(x, output.Height, output.Width, mode, alignCorners);
            using var backward = Interpolate.Backward(y, input.Height, input.Width, mode, alignCorners);
            Assert.That(
                Product(x, backward), Is.EqualTo(Product(forward, y)).Within(1e-9), $"{device} {input} to {output}");
        }
    }

    [Test]
    [DeviceGrid]
    public void A_constant_stays_constant_and_its_gradient_is_spread_without_loss(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] InterpolationMode mode)
    {
        var opened = TestDevices.Open(device);
        foreach (var (height, width, outputHeight, outputWidth) in Sizes)
        {
            using var input = FeatureMap<double>.From(
                opened, new MapShape(1, 1, height, width), Enumerable.Repeat(3.0, height * width).ToArray());
            using var output = Interpolate.Forward(input, outputHeight, outputWidth, mode);
            Assert.That(output.ToArray(), Is.All.EqualTo(3).Within(1e-14), device);
            using var gradient = Interpolate.Backward(output, height, width, mode);
            Assert.That(
                gradient.ToArray().Sum(), Is.EqualTo(3.0 * outputHeight * outputWidth).Within(1e-10), device);
        }
    }

    [Test]
    [DeviceGrid]
    public void Places_are_not_rounded([ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        const int Cells = 49_999;
        const int Points = 300_007;
        using var input = FeatureMap<float>.From(
            TestDevices.Open(device),
            new MapShape(1, 1, 1, Cells),
            Enumerable.Range(0, Cells).Select(i => (float)i).ToArray());
        using var output = Interpolate.Forward(input, 1, Points, InterpolationMode.Nearest);
        Assert.That(
            output.ToArray(), Is.EqualTo(Enumerable.Range(0, Points).Select(i => (float)((long)i * Cells / Points))));
    }

    [Test]
    [DeviceGrid]
    public void The_output_may_have_another_format_and_be_a_view(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);
        var map = ReferenceMap.Random(new Random(4), new MapShape(2, 3, 4, 5));
        using var input = map.ToTensor<float>(opened, MemoryFormat.Contiguous);
        using var wide = FeatureMap<float>.From(
            opened, new MapShape(2, 7, 9, 8), Enumerable.Repeat(8f, 2 * 7 * 9 * 8).ToArray(), MemoryFormat.ChannelsLast);
        using var output = wide.Channels(2, 3);
        Interpolate.Forward(input, output);
        Near.Forward(
            output, ReferenceInterpolation.Resize(map, 9, 8, InterpolationMode.Bilinear), device);
        using var before = wide.Channels(0, 2);
        using var behind = wide.Channels(5, 2);
        Assert.That(before.ToArray().Concat(behind.ToArray()), Is.All.EqualTo(8f));
    }

    [Test]
    public void Misuse_is_refused()
    {
        var opened = TestDevices.Open("cpu");
        using var input = FeatureMap<float>.Create(opened, new MapShape(1, 2, 3, 4));
        foreach (var (height, width) in new[] { (0, 4), (4, 0), (-1, 4), ((1 << 29) + 1, 1), (1, int.MaxValue) })
        {
            Assert.That(
                () => Interpolate.Forward(input, height, width), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => Interpolate.Backward(input, height, width), Throws.InstanceOf<ArgumentOutOfRangeException>());
        }
        Assert.That(
            () => Interpolate.Forward(input, 6, 8, InterpolationMode.Nearest, alignCorners: true),
            Throws.ArgumentException.With.Message.Contains("alignCorners"));
        Assert.That(
            () => Interpolate.Backward(input, 6, 8, InterpolationMode.Nearest, alignCorners: true), Throws.ArgumentException);
        using var channels = FeatureMap<float>.Create(opened, new MapShape(1, 3, 6, 8));
        using var images = FeatureMap<float>.Create(opened, new MapShape(2, 2, 6, 8));
        Assert.That(
            () => Interpolate.Forward(input, channels), Throws.ArgumentException.With.Message.Contains("[1, 2, 6, 8]"));
        Assert.That(() => Interpolate.Forward(input, images), Throws.ArgumentException);
        Assert.That(
            () => Interpolate.Forward(input, input), Throws.ArgumentException.With.Message.Contains("shares memory"));
        Assert.That(() => Interpolate.Forward((FeatureMap<float>)null!, 3, 4), Throws.ArgumentNullException);
        Assert.That(() => Interpolate.Forward(input, null!), Throws.ArgumentNullException);
        Assert.That(() => Interpolate.Backward((FeatureMap<float>)null!, 3, 4), Throws.ArgumentNullException);
        using var elsewhere = FeatureMap<float>.Create(TestDevices.Open("emulator"), new MapShape(1, 2, 6, 8));
        Assert.That(() => Interpolate.Forward(input, elsewhere), Throws.TypeOf<DeviceMismatchException>());
        input.Dispose();
        Assert.That(() => Interpolate.Forward(input, 6, 8), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => Interpolate.Backward(input, 6, 8), Throws.TypeOf<ObjectDisposedException>());
    }

    private static void Run<T>(
        ComputeDevice device,
        MemoryFormat format,
        (int Height, int Width, int OutputHeight, int OutputWidth) size,
        InterpolationMode mode,
        bool alignCorners)
        where T : unmanaged
    {
        var random = new Random(2);
        string what = $"{device} {format} {size} {mode} {alignCorners}";
        var (height, width, outputHeight, outputWidth) = size;
        var map = ReferenceMap.Random(random, new MapShape(2, 3, height, width)).Rounded<T>();
        var gradient = ReferenceMap.Random(random, new MapShape(2, 3, outputHeight, outputWidth)).Rounded<T>();
        ReferenceMap Forward() => ReferenceInterpolation.Resize(map, outputHeight, outputWidth, mode, alignCorners);
        using var input = map.ToTensor<T>(device, format);
        using var gradOutput = gradient.ToTensor<T>(device, format);
        using var output = Interpolate.Forward(input, outputHeight, outputWidth, mode, alignCorners);
        Near.Forward(output, Forward(), what);
        Assert.That(output.Format, Is.EqualTo(format), what);
        using var gradInput = Interpolate.Backward(gradOutput, height, width, mode, alignCorners);
        Near.Backward(gradInput, Reference.Gradient(Forward, map, gradient), what);
    }

    private static double Product(
        FeatureMap<double> left, FeatureMap<double> right) => left.ToArray(MemoryFormat.Contiguous)
        .Zip(right.ToArray(MemoryFormat.Contiguous), (a, b) => a * b)
        .Sum();
}

using CsCheck;
using NUnit.Framework;
using SapaGpu.Launch;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Interpolation, its adjoint and copies on random problems and every vector width against plain loops, sources and
/// results being views of larger tensors. A failure names a seed; CsCheck_Seed runs it again.
/// </summary>
[TestFixture(typeof(double))]
[TestFixture(typeof(float))]
[TestFixture(typeof(Half))]
[TestFixture(typeof(BFloat16))]
public sealed class ResamplingPropertyTests<T>
    where T : unmanaged
{
    private Dictionary<int, ComputeDevice> devices = [];

    [OneTimeSetUp]
    public void OpenDevices() => devices = new[] { 128, 256, 512 }.ToDictionary(
        bits => bits, bits => ComputeDevice.Open("cpu", new DeviceOptions { VectorBits = bits, Threads = 2 }));

    [OneTimeTearDown]
    public void CloseDevices()
    {
        foreach (var device in devices.Values)
            device.Dispose();
    }

    [Test]
    public void Interpolation_matches_plain_loops() => Sample(120, problem =>
    {
        if (problem.Mode == InterpolationMode.Nearest)
        {
            CheckNearest(problem);
            return;
        }
        var map = Map(problem.Input, problem.Seed);
        var expected = ReferenceInterpolation.Bilinear(
            map, problem.OutputHeight, problem.OutputWidth, problem.AlignCorners);
        Compare.Forward<T>(Forward(problem, map), expected, problem.ToString());
    });

    [Test]
    public void Its_adjoint_matches_plain_loops() => Sample(120, problem =>
    {
        var gradient = Map(problem.Output, problem.Seed);
        var expected = ReferenceInterpolation.Adjoint(
            gradient, problem.Input.Height, problem.Input.Width, problem.Mode, problem.AlignCorners);
        Compare.Backward<T>(Adjoint(problem, gradient), expected.ToArray(), problem.Input, problem.ToString());
    });

    // Large enough for several threads, and for several tiles of a plane in the second case.
    [TestCase(17, 40, 41)]
    [TestCase(2, 180, 181)]
    public void Maps_of_many_tiles_match_plain_loops(int channels, int height, int width)
    {
        var input = new MapShape(1, channels, height, width);
        var (map, gradient) = (Map(input, 1), Map(new MapShape(1, channels, 2 * height, 2 * width), 2));
        var expected = ReferenceInterpolation.Bilinear(map, 2 * height, 2 * width, alignCorners: false);
        var adjoint = ReferenceInterpolation.Adjoint(
            gradient, height, width, InterpolationMode.Bilinear, alignCorners: false).ToArray();
        foreach (int bits in devices.Keys)
        {
            foreach (var format in Enum.GetValues<MemoryFormat>())
            {
                var problem = new ResamplingProblem(
                    input,
                    2 * height,
                    2 * width,
                    InterpolationMode.Bilinear,
                    false,
                    format,
                    format,
                    default,
                    default,
                    bits,
                    1);
                Compare.Forward<T>(Forward(problem, map), expected, problem.ToString());
                Compare.Backward<T>(Adjoint(problem, gradient), adjoint, input, problem.ToString());
            }
        }
    }

    [Test]
    public void Products_with_forward_and_adjoint_are_the_same() => Sample(40, problem =>
    {
        var x = Map(problem.Input, problem.Seed);
        var y = Map(problem.Output, problem.Seed + 1);
        var forward = Forward(problem, x);
        var adjoint = Adjoint(problem, y);
        double Bound(double[] result, ReferenceMap other, bool backward) =>
            Tolerances.Relative<T>(backward) * result.Append(1).Max(Math.Abs) * other.ToArray().Sum(Math.Abs);
        Assert.That(
            Product(forward, y.ToArray()),
            Is.EqualTo(Product(adjoint, x.ToArray()))
                .Within(Bound(forward, y, backward: false) + Bound(adjoint, x, backward: true)),
            problem.ToString());
    });

    [Test]
    public void Copies_are_the_same_to_the_last_bit() => Sample(200, problem =>
    {
        var values = RandomBits.Of<T>(new Random(problem.Seed), problem.Input.ElementCount);
        using var source = Source(problem, problem.Input, values);
        using var result = Result(problem, problem.Input);
        result.View.CopyFrom(source.View);
        Compare.Bitwise(result.Read(problem.ToString()), values, problem.ToString());
        using var other = source.View.To(problem.To);
        Compare.Bitwise(other.ToArray(MemoryFormat.Contiguous), values, $"To, {problem}");
    });

    [Test]
    public void Pixel_shuffles_are_the_same_to_the_last_bit() => Sample(40, problem =>
    {
        int scale = problem.Seed % 3 + 2;
        int channels = problem.Input.Channels % 9 + 1;
        var (batch, height, width) = (problem.Input.Batch, problem.Input.Height, problem.Input.Width);
        var low = new MapShape(batch, channels * scale * scale, height, width);
        var high = new MapShape(batch, channels, height * scale, width * scale);
        var values = RandomBits.Of<T>(new Random(problem.Seed), low.ElementCount);
        var expected = new T[values.Length];
        for (int i = 0; i < expected.Length; i++)
        {
            int x = i % high.Width;
            int y = i / high.Width % high.Height;
            int plane = i / high.Width / high.Height;
            expected[i] = values[
                (((plane * scale + y % scale) * scale + x % scale) * height + y / scale) * width + x / scale];
        }
        using var source = Source(problem, low, values);
        using var shuffled = Result(problem, high);
        ResamplingKernels.For(source.View).Shuffle(scale, inverse: false, source.View, shuffled.View);
        Compare.Bitwise(shuffled.Read(problem.ToString()), expected, problem.ToString());
        using var back = Result(problem, low);
        ResamplingKernels.For(shuffled.View).Shuffle(scale, inverse: true, shuffled.View, back.View);
        Compare.Bitwise(back.Read(problem.ToString()), values, $"back, {problem}");
    });

    [Test]
    public void Sums_match_plain_loops() => Sample(60, problem =>
    {
        var (first, second) = (Map(problem.Input, problem.Seed), Map(problem.Input, problem.Seed + 1));
        using var source = Source(problem, problem.Input, Stored(first));
        using var result = new SurroundedTensor<T>(
            devices[problem.VectorBits], problem.Input, problem.To, problem.AroundResult, Stored(second));
        ResamplingKernels.For(source.View).Add(source.View, result.View);
        var expected = ReferenceMaps.Build(problem.Input, (b, c, y, x) => first[b, c, y, x] + second[b, c, y, x]);
        Compare.Forward<T>(result.ReadNumbers(problem.ToString()), expected, problem.ToString());
    });

    private static ReferenceMap Map(MapShape shape, int seed) =>
        ReferenceMap.Random(new Random(seed), shape).Rounded<T>();

    private static T[] Stored(ReferenceMap map) => Array.ConvertAll(map.ToArray(), ElementTypes.FromDouble<T>);

    private static double Product(double[] left, double[] right) => left.Zip(right, (a, b) => a * b).Sum();

    private static void Sample(int iterations, Action<ResamplingProblem> check) =>
        ResamplingProblem.All.Sample(check, TestContext.Out.WriteLine, iter: iterations, threads: 1);

    // Nearest copies, whatever the bits say.
    private void CheckNearest(ResamplingProblem problem)
    {
        var (input, output) = (problem.Input, problem.Output);
        var values = RandomBits.Of<T>(new Random(problem.Seed), input.ElementCount);
        var expected = new T[output.ElementCount];
        for (int i = 0; i < expected.Length; i++)
        {
            int x = i % output.Width;
            int y = i / output.Width % output.Height;
            int plane = i / output.Width / output.Height;
            expected[i] = values[
                (plane * input.Height + y * input.Height / output.Height) * input.Width + x * input.Width / output.Width];
        }
        using var source = Source(problem, input, values);
        using var result = Result(problem, output);
        Interpolate.Forward(source.View, result.View, InterpolationMode.Nearest);
        Compare.Bitwise(result.Read(problem.ToString()), expected, problem.ToString());
    }

    private double[] Forward(ResamplingProblem problem, ReferenceMap map)
    {
        using var source = Source(problem, problem.Input, Stored(map));
        using var result = Result(problem, problem.Output);
        Interpolate.Forward(source.View, result.View, problem.Mode, problem.AlignCorners);
        return result.ReadNumbers(problem.ToString());
    }

    private double[] Adjoint(ResamplingProblem problem, ReferenceMap gradient)
    {
        using var source = Source(problem, problem.Output, Stored(gradient));
        using var result = Result(problem, problem.Input);
        Interpolate.Backward(source.View, result.View, problem.Mode, problem.AlignCorners);
        return result.ReadNumbers(problem.ToString());
    }

    private SurroundedTensor<T> Source(ResamplingProblem problem, MapShape shape, T[] values) =>
        new(devices[problem.VectorBits], shape, problem.From, problem.AroundSource, values);

    private SurroundedTensor<T> Result(ResamplingProblem problem, MapShape shape) =>
        new(devices[problem.VectorBits], shape, problem.To, problem.AroundResult);
}

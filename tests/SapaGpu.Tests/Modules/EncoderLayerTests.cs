using System.Collections.Concurrent;
using NUnit.Framework;
using SapaGpu.Layers;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Modules;

/// <summary>
/// The layers of image encoders as vector programs of every width, against the programs of thread groups in double precision, on
/// sizes that fill neither tiles nor vectors.
/// </summary>
[TestFixture(typeof(double))]
[TestFixture(typeof(float))]
public sealed class EncoderLayerTests<T>
    where T : unmanaged
{
    private static readonly Dictionary<string, (Layer Layer, MapShape Input)> Cases = new()
    {
        ["convolution, image"] = (new ConvolutionLayer("c", 3, 20, 3, hasBias: true, mirrors: true), new(2, 3, 7, 52)),
        ["convolution, zeros outside"] = (new ConvolutionLayer("c", 17, 35, 5), new(1, 17, 6, 9)),
        ["convolution, more than a panel"] = (new ConvolutionLayer("c", 70, 90, 1, hasBias: true), new(1, 70, 3, 50)),
        ["convolution, one row"] = (new ConvolutionLayer("c", 16, 16, 3), new(1, 16, 1, 70)),
        ["convolution, two by two"] = (new ConvolutionLayer("c", 5, 4, 3, mirrors: true), new(1, 5, 2, 2)),
        ["convolution, wide border"] = (new ConvolutionLayer("c", 4, 6, 7, mirrors: true), new(1, 4, 4, 53)),
        ["convolution, wider than one pass takes"] = (new ConvolutionLayer("c", 3, 4, 19, mirrors: true), new(1, 3, 12, 11)),
        ["norm, SiLU, convolution"] = (Activated(12, 20, 3, 3), new(2, 12, 5, 51)),
        ["norm, SiLU, 1x1 convolution"] = (Activated(36, 36, 1, 4), new(1, 36, 3, 49)),
        ["residual"] = (
            new ResidualBlock(
                Activated(8, 24, 1, 2, "a"), Activated(24, 24, 1, 2, "b"), new ConvolutionLayer("s", 8, 24)),
            new(2, 8, 3, 10)),
        ["periodic positions"] = (new PeriodicRotary("p", 12, 100), new(2, 36, 5, 50)),
        ["periodic positions, whole vectors"] = (new PeriodicRotary("p", 32, 100), new(1, 64, 2, 3)),
        ["learned positions"] = (new LearnedRotary("p", 22), new(2, 22, 4, 49)),
        ["pooling"] = (new Pooling(3, 5), new(2, 19, 11, 57)),
        ["pooling, overlapping and larger"] = (new Pooling(7, 40), new(1, 6, 10, 33)),
        ["pooling, one output"] = (new Pooling(1, 1), new(1, 6, 3, 70)),
        ["root mean square"] = (new PixelNormLayer("n", 21, 1e-3), new(2, 21, 3, 35)),
        ["Euclidean norm"] = (new PixelNormLayer(null, 0, 1e-3), new(1, 40, 3, 35)),
        ["unification"] = (new UnificationLayer("u", 9, 3), new(2, 13, 4, 5)),
        ["unification, whole panels"] = (new UnificationLayer("u", 64, 5), new(1, 5, 3, 3)),
    };

    // Thread groups are slow in emulation: each case is computed there once.
    private static readonly ConcurrentDictionary<string, Dictionary<string, double[]>> Expected = new();

    private static IEnumerable<string> Names => TestPart.Of(Cases.Keys, turns: 10);

    [Test]
    [Category(TestPart.Category)]
    public void Vector_programs_compute_what_thread_groups_do(
        [ValueSource(nameof(Names))] string name, [Values("cpu", "cpu-256", "cpu-128")] string device, [Values] MemoryFormat format)
    {
        var (layer, shape) = Cases[name];
        var expected = Expected.GetOrAdd(
            name, _ => Run<double>(layer, shape, TestDevices.Open("emulator"), MemoryFormat.Contiguous));
        var actual = Run<T>(layer, shape, TestDevices.Open(device), format);
        using (Assert.EnterMultipleScope())
        {
            foreach (var (result, values) in expected)
            {
                double unit = values.Max(Math.Abs);
                Assert.That(
                    Array.ConvertAll(actual[result], value => value / unit),
                    Is.EqualTo(Array.ConvertAll(values, value => value / unit))
                        .Within(typeof(T) == typeof(double) ? 1e-12 : 2e-5),
                    result);
            }
        }
    }

    private static ActivatedConvolution Activated(int input, int output, int kernel, int groups, string name = "c") => new(
        $"{name}.norm", groups, 1e-5, new ConvolutionLayer(name, input, output, kernel, hasBias: kernel > 1, mirrors: kernel > 1));

    private static Dictionary<string, double[]> Run<TRun>(
        Layer layer, MapShape shape, ComputeDevice device, MemoryFormat format)
        where TRun : unmanaged
    {
        using var parameters = new ParameterSet(device, ElementTypes.Of<TRun>(), [.. layer.Specs]);
        parameters.Initialise(new Random(1));
        using var gradients = parameters.CreateLike();
        using var trace = new Trace(keeps: true);
        using var output = layer.Forward(parameters, Random(shape, 2), trace);
        var results = new Dictionary<string, double[]> { ["output"] = Values((FeatureMap<TRun>)output) };
        using var gradInput = layer.Backward(parameters, gradients, Random(output.Shape, 3), trace.Read());
        results["gradient of the input"] = Values((FeatureMap<TRun>)gradInput);
        foreach (var gradient in gradients.Parameters.Where(gradient => layer is not PeriodicRotary))
            results[$"gradient of {gradient.Name}"] = gradient.Read();
        return results;

        FeatureMap<TRun> Random(MapShape of, int seed)
        {
            var random = new Random(seed);
            var values = new TRun[of.ElementCount];
            for (int i = 0; i < values.Length; i++)
                values[i] = Number(4 * random.NextDouble() - 2);
            using var contiguous = FeatureMap<TRun>.From(device, of, values);
            return contiguous.To(format);
        }

        static TRun Number(double value) => typeof(TRun) == typeof(double) ? (TRun)(object)value : (TRun)(object)(float)value;

        static double[] Values(FeatureMap<TRun> map) =>
            Array.ConvertAll(map.ToArray(MemoryFormat.Contiguous), value => Convert.ToDouble(value));
    }
}

using NUnit.Framework;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// The projection on maps of several chunks of pixels, whose blocks end within rows and go on in the next image, beside
/// its formulas written out.
/// </summary>
[TestFixture]
public sealed class ProjectionTests
{
    private const int Inputs = 37;
    private const int Outputs = 23;
    private const double Epsilon = 1e-5;
    private const double Tolerance = 1e-10;

    // Some rows are shorter than a block, one is longer than several.
    private static readonly MapShape[] Maps =
        [new(2, Inputs, 29, 31), new(1, Inputs, 1, 1300), new(3, Inputs, 300, 1), new(1, Inputs, 1, 1)];

    [Test]
    public void All_gradients_on_maps_of_several_chunks(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [ValueSource(nameof(Maps))] MapShape map,
        [Values] MemoryFormat format,
        [Values] MemoryFormat outputFormat,
        [Values] bool hasNorm)
    {
        var opened = TestDevices.Open(device);
        var random = new Random(1);
        var input = Draw(map);
        var gradOutput = Draw(ReferenceMaps.WithChannels(map, Outputs));
        var weight = Draw(new MapShape(Outputs, Inputs, 1, 1));
        var bias = Draw(new MapShape(1, Outputs, 1, 1));
        var factor = Draw(new MapShape(1, Inputs, 1, 1));
        var offset = Draw(new MapShape(1, Inputs, 1, 1));
        var created = new List<FeatureMap<double>>();
        try
        {
            var parameters = new ProjectionWeights(
                Put(weight), Put(bias), hasNorm ? Put(factor) : null, hasNorm ? Put(offset) : null, Epsilon);
            var statistics = hasNorm ? Put(new ReferenceMap(FeatureNorm.StatisticsShape(map, groups: 0))) : null;
            var x = Put(input, format);
            var output = Put(new ReferenceMap(gradOutput.Shape), outputFormat);
            PointwiseProjection.Forward(x, parameters, output, statistics);
            var normalised = hasNorm ? Reference.LayerNorm(input, factor, offset, Epsilon) : input;
            Check("output", output, Reference.Linear(normalised, weight, bias).ToArray());

            var gradInput = Put(new ReferenceMap(map), format);
            var gradients = new ProjectionWeights(
                Put(weight), Put(bias), hasNorm ? Put(factor) : null, hasNorm ? Put(offset) : null);
            PointwiseProjection.Backward(
                x, parameters, statistics, Put(gradOutput, outputFormat), gradInput, gradients);
            var expected = new Gradients(input, gradOutput, weight, hasNorm ? factor : null, hasNorm ? offset : null);
            Check("gradient of the map", gradInput, expected.Input);
            Check("gradient of the matrix", gradients.Weight, expected.Weight);
            Check("gradient of the bias", gradients.Bias!, expected.Bias);
            if (hasNorm)
            {
                Check("gradient of the factor", gradients.NormWeight!, expected.Factor);
                Check("gradient of the offset", gradients.NormBias!, expected.Offset);
            }
        }
        finally
        {
            foreach (var tensor in created)
                tensor.Dispose();
        }

        ReferenceMap Draw(MapShape shape) => ReferenceMap.Random(random, shape);

        FeatureMap<double> Put(ReferenceMap values, MemoryFormat order = MemoryFormat.Contiguous)
        {
            created.Add(values.ToTensor<double>(opened, order));
            return created[^1];
        }

        static void Check(string what, FeatureMap actual, double[] expected) => Assert.That(
            ((FeatureMap<double>)actual).ToArray(MemoryFormat.Contiguous), Is.EqualTo(expected).Within(
                Tolerance), what);
    }

    // The derivatives of Σ g·(W·x̃ + b), x̃ = γ·x̂ + β where there is a normalisation and else x, pixel by pixel.
    private sealed class Gradients
    {
        public Gradients(
            ReferenceMap input, ReferenceMap gradOutput, ReferenceMap weight, ReferenceMap? factor, ReferenceMap? offset)
        {
            Input = new double[input.Values.Length];
            var shape = input.Shape;
            int plane = shape.Height * shape.Width;
            for (int image = 0; image < shape.Batch; image++)
            {
                for (int at = 0; at < plane; at++)
                {
                    var x = Pixel(input, image * Inputs * plane + at, plane);
                    var g = Pixel(gradOutput, image * Outputs * plane + at, plane);
                    double mean = x.Average();
                    double deviation = Math.Sqrt(x.Average(value => (value - mean) * (value - mean)) + Epsilon);
                    var normalised = Array.ConvertAll(x, value => (value - mean) / deviation);
                    var scaled = new double[Inputs];
                    for (int i = 0; i < Inputs; i++)
                    {
                        double own =
                            factor is null ? x[i] : factor.Values[i].Value * normalised[i] + offset!.Values[i].Value;
                        double back = 0;
                        for (int o = 0; o < Outputs; o++)
                        {
                            Weight[o * Inputs + i] += g[o] * own;
                            back += weight.Values[o * Inputs + i].Value * g[o];
                        }
                        Factor[i] += back * normalised[i];
                        Offset[i] += back;
                        scaled[i] = factor is null ? back : back * factor.Values[i].Value;
                    }
                    for (int o = 0; o < Outputs; o++)
                        Bias[o] += g[o];
                    double sum = scaled.Average();
                    double product = scaled.Zip(normalised, (s, n) => s * n).Average();
                    for (int i = 0; i < Inputs; i++)
                    {
                        Input[(image * Inputs + i) * plane + at] =
                            factor is null ? scaled[i] : (scaled[i] - sum - normalised[i] * product) / deviation;
                    }
                }
            }
        }

        public double[] Input { get; }

        public double[] Weight { get; } = new double[Outputs * Inputs];

        public double[] Bias { get; } = new double[Outputs];

        public double[] Factor { get; } = new double[Inputs];

        public double[] Offset { get; } = new double[Inputs];

        private static double[] Pixel(ReferenceMap map, int first, int plane)
        {
            var values = new double[map.Shape.Channels];
            for (int c = 0; c < values.Length; c++)
                values[c] = map.Values[first + c * plane].Value;
            return values;
        }
    }
}

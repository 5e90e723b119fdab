using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// The operators that modules consist of, as other frameworks call them: into tensors of the caller, gradients one by
/// one.
/// </summary>
[TestFixture]
public sealed class BuildingBlockTests
{
    private const double Epsilon = 1e-5;
    private static readonly MapShape Map = new(2, 6, 3, 5);

    [Test]
    [DeviceGrid]
    public void Projection_is_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] bool hasNorm)
    {
        var (opened, random) = (TestDevices.Open(device), new Random(1));
        var input = ReferenceMap.Random(random, Map);
        var weight = ReferenceMap.Random(random, new MapShape(4, 6, 1, 1));
        var bias = ReferenceMap.Random(random, new MapShape(1, 4, 1, 1));
        var normWeight = ReferenceMap.Random(random, new MapShape(1, 6, 1, 1));
        var normBias = ReferenceMap.Random(random, new MapShape(1, 6, 1, 1));
        var normalised = hasNorm ? Reference.LayerNorm(input, normWeight, normBias, Epsilon) : input;
        var expected = Reference.Linear(normalised, weight, bias);
        using var tensors = new Tensors(opened);
        var parameters = new ProjectionWeights(
            tensors.Of(weight),
            tensors.Of(bias),
            hasNorm ? tensors.Of(normWeight) : null,
            hasNorm ? tensors.Of(normBias) : null,
            Epsilon);
        var output = tensors.Create(expected.Shape);
        var statistics = hasNorm ? tensors.Create(FeatureNorm.StatisticsShape(Map, groups: 0)) : null;
        PointwiseProjection.Forward(tensors.Of(input), parameters, output, statistics);
        Compare.Forward(output, expected, "projection");
    }

    [Test]
    [DeviceGrid]
    public void Gradients_of_the_projection(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] bool hasNorm)
    {
        using var tensors = new Tensors(TestDevices.Open(device));
        var input = tensors.Random(Map);
        var own = Parameters();
        var gradOutput = tensors.Random(new MapShape(2, 4, 3, 5));
        var statistics = hasNorm ? tensors.Create(FeatureNorm.StatisticsShape(Map, groups: 0)) : null;
        Forward().Dispose();
        var gradInput = tensors.Create(Map);
        var gradients = Parameters();
        PointwiseProjection.Backward(input, own, statistics, gradOutput, gradInput, gradients);
        var weights = gradOutput.ToArray();
        GradientCheck.Run(Forward, input, gradInput.ToArray(), weights, 100, "map");
        Check(own.Weight, gradients.Weight, "matrix");
        Check(own.Bias!, gradients.Bias!, "bias");
        if (hasNorm)
        {
            Check(own.NormWeight!, gradients.NormWeight!, "factor");
            Check(own.NormBias!, gradients.NormBias!, "offset");
        }

        // Each half alone is the same to the last bit.
        var alone = tensors.Create(Map);
        PointwiseProjection.Backward(input, own, statistics, gradOutput, alone, null);
        Compare.Bitwise(alone.ToArray(), gradInput.ToArray(), "gradient of the map alone");
        var parametersAlone = Parameters();
        PointwiseProjection.Backward(input, own, statistics, gradOutput, null, parametersAlone);
        Compare.Bitwise(
            ((FeatureMap<double>)parametersAlone.Weight).ToArray(), ((FeatureMap<double>)gradients.Weight).ToArray(), "matrix alone");

        void Check(FeatureMap parameter, FeatureMap gradient, string what) => GradientCheck.Run(
            Forward, (FeatureMap<double>)parameter, ((FeatureMap<double>)gradient).ToArray(), weights, 100, what);

        ProjectionWeights Parameters() => new(
            tensors.Random(new MapShape(4, 6, 1, 1)),
            tensors.Random(new MapShape(1, 4, 1, 1)),
            hasNorm ? tensors.Random(new MapShape(1, 6, 1, 1)) : null,
            hasNorm ? tensors.Random(new MapShape(1, 6, 1, 1)) : null,
            Epsilon);

        FeatureMap<double> Forward()
        {
            var output = FeatureMap<double>.Create(input.Device, gradOutput.Shape);
            PointwiseProjection.Forward(input, own, output, statistics);
            return output;
        }
    }

    [Test]
    [DeviceGrid]
    public void Gradients_of_the_normalisation(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values(0, 2)] int groups)
    {
        using var tensors = new Tensors(TestDevices.Open(device));
        var (input, gradOutput) = (tensors.Random(Map), tensors.Random(Map));
        var vector = new MapShape(1, 6, 1, 1);
        var (weight, bias) = (tensors.Random(vector), tensors.Random(vector));
        var statistics = tensors.Create(FeatureNorm.StatisticsShape(Map, groups));
        Forward().Dispose();
        var (gradInput, gradWeight, gradBias) = (tensors.Create(Map), tensors.Create(vector), tensors.Create(vector));
        FeatureNorm.Backward(input, groups, weight, statistics, gradOutput, gradInput, gradWeight, gradBias);
        var weights = gradOutput.ToArray();
        GradientCheck.Run(Forward, input, gradInput.ToArray(), weights, 200, "map");
        GradientCheck.Run(Forward, weight, gradWeight.ToArray(), weights, 100, "factor");
        GradientCheck.Run(Forward, bias, gradBias.ToArray(), weights, 100, "offset");

        FeatureMap<double> Forward()
        {
            var output = FeatureMap<double>.Create(input.Device, Map);
            FeatureNorm.Forward(input, groups, weight, bias, Epsilon, output, statistics);
            return output;
        }
    }

    // Its deviation is 0, so that whatever a fused multiplication leaves of γ·g − γ·g is multiplied by 1/√ε.
    [Test]
    [DeviceGrid]
    public void Feature_alone_in_its_group_has_no_gradient(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values(0, 64)] int groups)
    {
        var (opened, random) = (TestDevices.Open(device), new Random(7));
        var shape = groups == 0 ? new MapShape(2, 1, 8, 8) : new MapShape(2, groups, 1, 1);
        var vector = new MapShape(1, shape.Channels, 1, 1);
        using var input = Random(shape);
        using var gradOutput = Random(shape);
        using var weight = Random(vector);
        using var bias = Random(vector);
        using var statistics = FeatureMap<float>.Create(opened, FeatureNorm.StatisticsShape(shape, groups));
        using var result = FeatureMap<float>.Create(opened, shape);
        using var gradWeight = FeatureMap<float>.Create(opened, vector);
        using var gradBias = FeatureMap<float>.Create(opened, vector);
        FeatureNorm.Forward(input, groups, weight, bias, Epsilon, result, statistics);
        FeatureNorm.Backward(input, groups, weight, statistics, gradOutput, result, gradWeight, gradBias);
        Assert.That(result.ToArray(), Is.All.Zero);

        FeatureMap<float> Random(MapShape size) =>
            ReferenceMap.Random(random, size).ToTensor<float>(opened, MemoryFormat.Contiguous);
    }

    [Test]
    [DeviceGrid]
    public void Gate_of_a_cell_without_queries_plays_no_part(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        // Of four columns of cells the first and the third have queries, of two rows the first.
        var opened = TestDevices.Open(device);
        MapShape high = new(1, 16, 1, 2), low = new(1, 16, 2, 4);
        using var encoder = Ones(opened, high, format);
        using var decoder = Ones(opened, low, format);
        using var gate = FeatureMap<float>.From(
            opened, new MapShape(1, 1, 2, 4), [0, float.NaN, 0, float.NaN, .. Enumerable.Repeat(float.NaN, 4)], format);
        using var gradQuery = Ones(opened, high, format);
        using var gradients = QueryBlend.Backward(encoder, decoder, gate, gradQuery);
        float[] row = [0.5f, 0, 0.5f, 0, 0, 0, 0, 0];
        Assert.Multiple(() =>
        {
            Assert.That(
                gradients.Decoder.ToArray(MemoryFormat.Contiguous), Is.EqualTo(Enumerable.Repeat(row, 16).SelectMany(r => r)));
            Assert.That(gradients.Gate!.ToArray(), Is.All.Zero);
        });
    }

    [Test]
    [DeviceGrid]
    public void Gradients_of_blended_queries(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] bool hasGate)
    {
        using var tensors = new Tensors(TestDevices.Open(device));
        var (high, low, single) = (new MapShape(1, 3, 5, 7), new MapShape(1, 3, 2, 3), new MapShape(1, 1, 2, 3));
        var (encoder, decoder, gradQuery) = (tensors.Random(high), tensors.Random(low), tensors.Random(high));
        var gate = hasGate ? tensors.Random(single) : null;
        var gradEncoder = hasGate ? tensors.Create(high) : null;
        var gradGate = hasGate ? tensors.Create(single) : null;
        var gradDecoder = tensors.Create(low);
        QueryBlend.Backward(encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, gradGate);
        var weights = gradQuery.ToArray();
        GradientCheck.Run(Forward, encoder, (gradEncoder ?? gradQuery).ToArray(), weights, 200, "encoder");
        GradientCheck.Run(Forward, decoder, gradDecoder.ToArray(), weights, 100, "decoder");
        if (hasGate)
            GradientCheck.Run(Forward, gate!, gradGate!.ToArray(), weights, 100, "gate");

        FeatureMap<double> Forward()
        {
            var query = FeatureMap<double>.Create(encoder.Device, high);
            QueryBlend.Forward(encoder, decoder, gate, query);
            return query;
        }
    }

    [Test]
    [DeviceGrid]
    public void Gradients_of_deformable_attention_one_by_one_are_those_of_all(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Range(1, 15)] int wanted)
    {
        using var tensors = new Tensors(TestDevices.Open(device));
        var options = new DeformableAttentionOptions { Groups = 2, Points = 3 };
        FeatureMap<double>[] operands =
        [
            tensors.Random(new MapShape(1, 4, 6, 8)),
            tensors.Random(new MapShape(1, 4, 3, 4)),
            tensors.Random(new MapShape(1, 6, 3, 4)),
            tensors.Random(new MapShape(1, 12, 6, 8)),
        ];
        var gradOutput = tensors.Random(new MapShape(1, 6, 6, 8));
        using var all = DeformableAttention.Backward(
            operands[0], operands[1], operands[2], operands[3], gradOutput, options);
        FeatureMap<double>[] expected = [all.Query, all.Key, all.Value, all.Offsets];
        FeatureMap<double>?[] own =
            [.. operands.Select((operand, i) => (wanted & (1 << i)) == 0 ? null : tensors.Create(operand.Shape))];
        DeformableAttention.Backward(
            operands[0], operands[1], operands[2], operands[3], gradOutput, own[0], own[1], own[2], own[3], options);
        for (int i = 0; i < own.Length; i++)
        {
            if (own[i] is { } gradient)
                Compare.Bitwise(gradient.ToArray(), expected[i].ToArray(), $"gradient {i}");
        }
    }

    [Test]
    [DeviceGrid]
    public void A_context_that_was_kept_in_parts_is_as_good_as_the_whole(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        using var tensors = new Tensors(TestDevices.Open(device));
        var query = tensors.Random(new MapShape(1, 4, 6, 8));
        var key = tensors.Random(new MapShape(1, 4, 3, 4));
        var value = tensors.Random(new MapShape(1, 5, 3, 4));
        using var output = WindowAttention.Forward(query, key, value, null, out var context);
        using var expected = WindowAttention.Backward(context, output);
        using var normaliser = (FeatureMap<double>)context.Normaliser;
        using var restored = new WindowAttentionContext<double>(query, key, value, normaliser);
        using var actual = WindowAttention.Backward(restored, output);
        Compare.Bitwise(actual.Query!.ToArray(), expected.Query!.ToArray(), "query");
        Compare.Bitwise(actual.Key!.ToArray(), expected.Key!.ToArray(), "key");
        Compare.Bitwise(actual.Value!.ToArray(), expected.Value!.ToArray(), "value");
    }

    [Test]
    public void Memory_can_be_shared_by_its_address()
    {
        var device = TestDevices.Open("cpu");
        using var tensor = FeatureMap<float>.From(device, new MapShape(1, 2, 1, 2), [1, 2, 3, 4]);
        using var second = tensor.Channels(1, 1);
        using var shared = FeatureMap<float>.Wrap(device, second.DataPointer, second.Shape);
        Assert.That(shared.ToArray(), Is.EqualTo(new float[] { 3, 4 }));
    }

    [Test]
    public void Wrong_operands_are_named()
    {
        using var tensors = new Tensors(TestDevices.Open("cpu"));
        var (input, output) = (tensors.Create(Map), tensors.Create(new MapShape(2, 4, 3, 5)));
        var matrix = tensors.Create(new MapShape(4, 6, 1, 1));
        var narrow = tensors.Create(new MapShape(4, 5, 1, 1));
        using var single = FeatureMap<float>.Create(input.Device, matrix.Shape);
        var vector = tensors.Create(new MapShape(1, 6, 1, 1));
        Assert.That(
            () => PointwiseProjection.Forward(input, new ProjectionWeights(narrow, null), output),
            Throws.ArgumentException.With.Message.Contains("weight"));
        Assert.That(
            () => PointwiseProjection.Forward(input, new ProjectionWeights(single, null), output),
            Throws.ArgumentException.With.Message.Contains("f32"));
        Assert.That(
            () => PointwiseProjection.Forward(input, new ProjectionWeights(matrix, null, vector, vector), output),
            Throws.ArgumentException.With.Message.Contains("statistics"));
        Assert.That(
            () => PointwiseProjection.Backward(
                input, new ProjectionWeights(matrix, null), null, output, null, new ProjectionWeights(matrix, null)),
            Throws.ArgumentException.With.Message.Contains("shares memory"));
        Assert.That(
            () => FeatureNorm.Forward(input, 4, vector, vector, Epsilon, tensors.Create(Map), vector),
            Throws.ArgumentException.With.Message.Contains("4 groups"));
        Assert.That(
            () => QueryBlend.Forward(input, tensors.Create(new MapShape(2, 5, 3, 5)), null, tensors.Create(Map)),
            Throws.ArgumentException.With.Message.Contains("decoder"));
        Assert.That(
            () => DeformableAttention.Forward(
                input, input, input, tensors.Create(new MapShape(2, 12, 3, 5)), input, new DeformableAttentionOptions
                {
                    Groups =
                    2,
                    Points = 3
                }),
            Throws.ArgumentException.With.Message.Contains("shares memory"));
        Assert.That(
            () => new WindowAttentionContext<double>(input, input, input, tensors.Create(Map)),
            Throws.ArgumentException.With.Message.Contains("normaliser"));
    }

    // Tensors in double precision that are disposed together.
    private sealed class Tensors(ComputeDevice device) : IDisposable
    {
        private readonly List<FeatureMap<double>> all = [];
        private readonly Random random = new(2);

        public FeatureMap<double> Of(ReferenceMap map) => Keep(map.ToTensor<double>(device, MemoryFormat.Contiguous));

        public FeatureMap<double> Random(MapShape shape) => Of(ReferenceMap.Random(random, shape));

        public FeatureMap<double> Create(MapShape shape) => Keep(FeatureMap<double>.Create(device, shape));

        public void Dispose()
        {
            foreach (var tensor in all)
                tensor.Dispose();
        }

        private FeatureMap<double> Keep(FeatureMap<double> tensor)
        {
            all.Add(tensor);
            return tensor;
        }
    }

    private static FeatureMap<float> Ones(ComputeDevice device, MapShape shape, MemoryFormat format) =>
        FeatureMap<float>.From(device, shape, Enumerable.Repeat(1f, (int)shape.ElementCount).ToArray(), format);
}

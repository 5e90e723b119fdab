using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Outputs so large that they are written past the caches, into whole tensors, where vectors are aligned, and into
/// views that begin anywhere.
/// </summary>
[TestFixture(typeof(float), "cpu")]
[TestFixture(typeof(float), "cpu-256")]
[TestFixture(typeof(double), "cpu-128")]
[TestFixture(typeof(Half), "cpu")]
[TestFixture(typeof(BFloat16), "cpu-256")]
public sealed class LargeOutputTests<T>(string device)
    where T : unmanaged
{
    private const int Channels = 64;

    // Outputs below this many bytes stay in the caches.
    private const long LargeBytes = 8L << 20;

    private static readonly Surroundings Nothing = new(0, 0, 0, 0);

    // Contiguous rows begin anywhere after a column, pixels of channels-last maps after a channel.
    private static readonly Surroundings Unaligned = new(0, 1, 0, 1);

    private static readonly Surroundings[] Rooms = [Nothing, Unaligned];

    // Half of the element types and vectors take one room, half the other, by turns.
    private static IEnumerable<Surroundings> RoomsOfTurn =>
        Rooms.Where((_, i) => TestPart.Includes(i + ElementTypes.Of<T>().Size() / 2, Rooms.Length));

    private ComputeDevice Processor => TestDevices.Open(device);

    // Two images are large, one of them is not.
    private static int Cells => ElementTypes.Of<T>().Size() switch { 8 => 53, 4 => 77, _ => 109 };

    [Test]
    public void Copies_are_the_same_to_the_last_bit(
        [Values] MemoryFormat from, [Values] MemoryFormat to, [ValueSource(nameof(RoomsOfTurn))] Surroundings room)
    {
        var shape = Large(new MapShape(2, Channels, 2 * Cells, 2 * Cells + 1));
        var values = RandomBits.Of<T>(new Random(1), shape.ElementCount);
        using var source = new SurroundedTensor<T>(Processor, shape, from, room, values);
        foreach (var behind in Rooms)
        {
            using var result = new SurroundedTensor<T>(Processor, shape, to, behind);
            result.View.CopyFrom(source.View);
            Compare.Bitwise(result.Read("the copy"), values, $"{from} {to} {room} {behind}");
        }
    }

    [Test]
    public void Nearest_is_the_same_to_the_last_bit(
        [Values] MemoryFormat format, [ValueSource(nameof(RoomsOfTurn))] Surroundings room, [Values(0, 1)] int more)
    {
        var input = new MapShape(2, Channels, Cells, Cells);
        var output = Large(new MapShape(2, Channels, 2 * Cells + more, 2 * Cells + more));
        var values = RandomBits.Of<T>(new Random(2), input.ElementCount);
        var expected = new T[output.ElementCount];
        for (int i = 0; i < expected.Length; i++)
        {
            int x = i % output.Width;
            int y = i / output.Width % output.Height;
            int plane = i / output.Width / output.Height;
            expected[i] = values[
                (plane * input.Height + y * input.Height / output.Height) * input.Width + x * input.Width / output.Width];
        }
        using var source = new SurroundedTensor<T>(Processor, input, format, room, values);
        using var result = new SurroundedTensor<T>(Processor, output, format, room);
        Interpolate.Forward(source.View, result.View, InterpolationMode.Nearest);
        Compare.Bitwise(result.Read("nearest"), expected, $"{format} {room} {output}");
    }

    [Test]
    public void Bilinear_is_the_same_as_in_small(
        [Values] MemoryFormat format,
        [ValueSource(nameof(RoomsOfTurn))] Surroundings room,
        [Values(0, 1)] int more,
        [Values(Channels, 48, 70)] int channels) => CheckImages(
        format,
        room,
        new MapShape(2, channels, 2 * Cells + more, 2 * Cells + more),
        [new MapShape(2, channels, Cells, Cells)],
        (inputs, output) => Interpolate.Forward(
            inputs[0], output, InterpolationMode.Bilinear, alignCorners: more == 1));

    [Test]
    public void Window_attention_is_the_same_as_in_small(
        [Values] MemoryFormat format, [ValueSource(nameof(RoomsOfTurn))] Surroundings room, [Values(0, 1)] int more)
    {
        var shape = new WindowShape(
            new MapShape(2, 5, Cells, Cells), Channels, 2 * Cells + more, 2 * Cells + more, 3);
        CheckImages(
            format,
            room,
            shape.OutputShape,
            [shape.QueryShape, shape.KeyShape, shape.ValueShape],
            (inputs, output) => WindowAttention.Forward(
                inputs[0], inputs[1], inputs[2], output, new WindowAttentionOptions { Window = 3 }));
    }

    [Test]
    public void Reassembly_is_the_same_as_in_small(
        [Values] MemoryFormat format, [ValueSource(nameof(RoomsOfTurn))] Surroundings room)
    {
        var shape = new WindowShape(2, Cells, Cells, 3, 2, 1, Channels);
        CheckImages(
            format,
            room,
            shape.OutputShape,
            [shape.WeightsShape, shape.ValueShape],
            (inputs, output) => WindowReassembly.Forward(
                inputs[0], inputs[1], output, new WindowAttentionOptions { Window = 3 }));
    }

    [Test]
    public void A_module_gives_what_it_gives_in_small(
        [Values] MemoryFormat format, [Values(Channels, Channels + 3)] int embedding)
    {
        using var module = new SapaUpsampler<T>(
            Processor,
            new SapaOptions
            {
                EncoderChannels = 19,
                DecoderChannels = Channels,
                EmbeddingChannels = embedding,
                Window = 3,
            });
        var output = new MapShape(2, Channels, 2 * Cells, 2 * Cells);
        CheckImages(
            format,
            Nothing,
            output,
            [ReferenceMaps.WithChannels(output, 19), new MapShape(2, Channels, Cells, Cells)],
            (inputs, result) =>
            {
                using var own = module.Forward(inputs[0], inputs[1]);
                result.CopyFrom(own);
            });
    }

    [Test]
    public void Normalisation_is_the_same_as_in_small(
        [Values] MemoryFormat format, [ValueSource(nameof(RoomsOfTurn))] Surroundings room, [Values(0, 1)] int more)
    {
        var shape = new MapShape(2, Channels, 2 * Cells + more, 2 * Cells + more);
        using var norm = new Norm(Processor, Channels);
        CheckImages(
            format,
            room,
            shape,
            [shape],
            (inputs, output) =>
            {
                using var statistics = norm.Statistics(output.Shape);
                FeatureNorm.Forward(inputs[0], 0, norm.Weight, norm.Bias, Norm.Epsilon, output, statistics);
            });
    }

    [Test]
    public void The_gradient_of_a_projection_is_the_same_as_in_small(
        [Values] MemoryFormat format, [ValueSource(nameof(RoomsOfTurn))] Surroundings room, [Values(0, 1)] int more)
    {
        const int Outputs = 7;
        var shape = new MapShape(2, Channels, 2 * Cells + more, 2 * Cells + more);
        using var norm = new Norm(Processor, Channels);
        using var matrix = norm.Random(new MapShape(Outputs, Channels, 1, 1));
        var parameters = new ProjectionWeights(matrix, null, norm.Weight, norm.Bias, Norm.Epsilon);
        CheckImages(
            format,
            room,
            shape,
            [shape, ReferenceMaps.WithChannels(shape, Outputs)],
            (inputs, gradInput) =>
            {
                using var statistics = norm.Statistics(gradInput.Shape);
                using var output = FeatureMap<T>.Create(Processor, inputs[1].Shape);
                PointwiseProjection.Forward(inputs[0], parameters, output, statistics);
                PointwiseProjection.Backward(inputs[0], parameters, statistics, inputs[1], gradInput, null);
            });
    }

    private static MapShape Large(MapShape output)
    {
        long bytes = output.ElementCount * ElementTypes.Of<T>().Size();
        Assert.That(bytes, Is.GreaterThanOrEqualTo(LargeBytes));
        Assert.That(bytes / 2, Is.LessThan(LargeBytes));
        return output;
    }

    // Two images are written past the caches, and each by itself is not, which smaller tests compare with the
    // reference.
    private void CheckImages(
        MemoryFormat format,
        Surroundings room,
        MapShape output,
        MapShape[] inputs,
        Action<FeatureMap<T>[], FeatureMap<T>> compute)
    {
        Large(output);
        var random = new Random(3);
        var operands = Array.ConvertAll(inputs, shape => Draw(random, shape, format));
        using var result = new SurroundedTensor<T>(Processor, output, format, room);
        compute(operands, result.View);
        var actual = result.Read("the result");
        int perImage = actual.Length / 2;
        for (int image = 0; image < 2; image++)
        {
            using var alone = FeatureMap<T>.Create(
                Processor, new MapShape(1, output.Channels, output.Height, output.Width), format);
            var own = Array.ConvertAll(operands, operand => operand.Images(image, 1));
            compute(own, alone);
            Compare.Bitwise(
                actual[(image * perImage)..((image + 1) * perImage)],
                alone.ToArray(MemoryFormat.Contiguous),
                $"{format} {room} {output} image {image}");
            foreach (var operand in own)
                operand.Dispose();
        }
        foreach (var operand in operands)
            operand.Dispose();
    }

    private FeatureMap<T> Draw(Random random, MapShape shape, MemoryFormat format)
    {
        // A prime number of values, over and over: drawing millions takes longer than the operators.
        const int Distinct = 65_537;
        var drawn = new T[Distinct];
        for (int i = 0; i < drawn.Length; i++)
            drawn[i] = ElementTypes.FromDouble<T>(random.NextDouble() * 2 - 1);
        var values = new T[shape.ElementCount];
        for (int first = 0; first < values.Length; first += Distinct)
            drawn.AsSpan(0, Math.Min(Distinct, values.Length - first)).CopyTo(values.AsSpan(first));
        return FeatureMap<T>.From(Processor, shape, values, format);
    }

    // The parameters of a normalisation, in the type that maps are computed in.
    private sealed class Norm : IDisposable
    {
        public const double Epsilon = 1e-5;

        private readonly ComputeDevice device;
        private readonly Random random = new(4);

        public Norm(ComputeDevice device, int channels)
        {
            this.device = device;
            Weight = Random(new MapShape(1, channels, 1, 1));
            Bias = Random(new MapShape(1, channels, 1, 1));
        }

        public FeatureMap Weight { get; }

        public FeatureMap Bias { get; }

        public FeatureMap Random(MapShape shape)
        {
            var values = new double[shape.ElementCount];
            for (int i = 0; i < values.Length; i++)
                values[i] = random.NextDouble() * 2 - 1;
            return typeof(T) == typeof(double)
                ? FeatureMap<double>.From(device, shape, values)
                : FeatureMap<float>.From(device, shape, Array.ConvertAll(values, value => (float)value));
        }

        public FeatureMap Statistics(MapShape map) => Random(FeatureNorm.StatisticsShape(map, groups: 0));

        public void Dispose()
        {
            Weight.Dispose();
            Bias.Dispose();
        }
    }
}

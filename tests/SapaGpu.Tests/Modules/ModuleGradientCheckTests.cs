using NUnit.Framework;
using SapaGpu.Tests.Grids;
using SapaGpu.Tests.Operators;

namespace SapaGpu.Tests.Modules;

/// <summary>
/// Gradient checks by central differences in double precision, of the modules and of the operators that are made for
/// them, with respect to every input and parameter, on every device.
/// </summary>
[TestFixture]
public sealed class ModuleGradientCheckTests
{
    private static readonly SapaSizes Sizes = new(1, 1, 2, 2, 3);

    [Test]
    [DeviceGrid]
    public void Sapa(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] Similarity similarity,
        [Values] FeatureNormKind norm,
        [Values(null, 2)] int? valueChannels)
    {
        var options = new SapaOptions
        {
            Similarity = similarity,
            FeatureNorm = norm,
            ValueChannels = valueChannels,
            EncoderChannels = similarity == Similarity.InnerProduct ? 4 : 2,
            DecoderChannels = 4,
            EmbeddingChannels = 2,
            NormGroups = 2,
            Window = 3,
            Epsilon = 1e-2,
        };
        Check(SapaCase.Of<double>(options, Sizes), device, $"{similarity} {norm} {valueChannels}");
    }

    [Test]
    [DeviceGrid]
    public void Sapa_deformable(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values] bool highResolution,
        [Values] bool hasNorm)
    {
        var options = new SapaDeformableOptions
        {
            EncoderChannels = 2,
            DecoderChannels = 4,
            EmbeddingChannels = 1,
            Groups = 2,
            Points = 2,
            NormGroups = 2,
            HighResolutionOffsets = highResolution,
            FeatureNorm = hasNorm ? FeatureNormKind.Group : FeatureNormKind.None,
            Epsilon = 1e-2,
        };
        Check(DeformableCase.Of<double>(options, 1, 1, 2), device, $"{highResolution} {hasNorm}");
    }

    [Test]
    [DeviceGrid]
    public void Carafe(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values(1, 2)] int groups)
    {
        var options = new CarafeOptions
        {
            Channels = 2,
            Groups = groups,
            CompressedChannels = 1,
            Window = 3,
            EncoderDilation = groups,
            Scale = groups,
        };
        Check(CarafeCase.Of<double>(options, 1, 2, 2), device, $"{groups} groups");
    }

    [Test]
    [DeviceGrid]
    public void Interpolation(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] InterpolationMode mode)
    {
        var opened = TestDevices.Open(device);
        var random = new Random(7);
        using var input = ReferenceMap.Random(random, new MapShape(1, 1, 2, 3))
            .ToTensor<double>(opened, MemoryFormat.Contiguous);
        var gradOutput = ReferenceMap.Random(random, new MapShape(1, 1, 3, 2));
        using var upstream = gradOutput.ToTensor<double>(opened, MemoryFormat.Contiguous);
        using var gradient = Interpolate.Backward(upstream, 2, 3, mode);
        GradientCheck.Run(
            () => Interpolate.Forward(input, 3, 2, mode), input, gradient.ToArray(), gradOutput.ToArray(), 6, device);
    }

    [Test]
    [DeviceGrid]
    public void Deformable_scores([ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var operands = new DeformableOperands(new DeformableProblem(1, 2, 2, 2, 3, 2, 2, 1, 1));
        using var tensors = new DeformableTensors<double>(
            operands, TestDevices.Open(device), MemoryFormat.ChannelsLast);
        var (query, key, offsets) = tensors.ScoresBackward();
        Check(
            tensors.Scores,
            operands.GradScores,
            device,
            (tensors.Query, query), (tensors.Key, key), (tensors.Offsets, offsets));
    }

    [Test]
    [DeviceGrid]
    public void Deformable_reassembly([ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var operands = new DeformableOperands(new DeformableProblem(1, 2, 2, 2, 3, 2, 2, 1, 1));
        using var tensors = new DeformableTensors<double>(
            operands, TestDevices.Open(device), MemoryFormat.ChannelsLast);
        var (weights, value, offsets) = tensors.ReassembleBackward();
        Check(
            tensors.Reassemble,
            operands.GradOutput,
            device,
            (tensors.Weights, weights), (tensors.Value, value), (tensors.Offsets, offsets));
    }

    [Test]
    [DeviceGrid]
    public void Deformable_attention([ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var operands = new DeformableOperands(new DeformableProblem(1, 2, 2, 2, 3, 2, 2, 1, 1));
        using var tensors = new DeformableTensors<double>(operands, TestDevices.Open(device), MemoryFormat.Contiguous);
        var gradients = tensors.Backward();
        Check(
            tensors.Forward,
            operands.GradOutput,
            device,
            (tensors.Query, gradients.Query),
            (tensors.Key, gradients.Key),
            (tensors.Value, gradients.Value),
            (tensors.Offsets, gradients.Offsets));
    }

    [Test]
    public void Larger_maps(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [ValueSource(typeof(LargerCases), nameof(LargerCases.Names))] string name) =>
        Check(LargerCases.Make(name), device, name, most: 2);

    // The emulator is slow: it checks few directions.
    private static int Most(string device) => device == "emulator" ? 2 : 24;

    private static void Check(
        Func<FeatureMap<double>> forward,
        ReferenceMap gradOutput,
        string device,
        params (FeatureMap<double> Operand, FeatureMap<double> Gradient)[] gradients)
    {
        for (int i = 0; i < gradients.Length; i++)
        {
            var (operand, gradient) = gradients[i];
            GradientCheck.Run(
                forward,
                operand,
                gradient.ToArray(operand.Format),
                gradOutput.ToArray(),
                Most(device),
                $"{device} operand {i}");
            gradient.Dispose();
        }
    }

    private static void Check(ModuleCase operands, string device, string what, int? most = null)
    {
        var opened = TestDevices.Open(device);
        using var module = operands.CreateFilled<double>(opened);
        var inputs = operands.Inputs.Values
            .Select(input => input.ToTensor<double>(opened, MemoryFormat.ChannelsLast)).ToArray();
        using var upstream = operands.GradOutput.ToTensor<double>(opened, MemoryFormat.ChannelsLast);
        using (var results = operands.Run(module, inputs, upstream))
        {
            for (int i = 0; i < inputs.Length; i++)
                Run(inputs[i], results.Inputs[i].ToArray(inputs[i].Format), $"input {i}");
            Assert.That(results.Parameters.Select(p => p.Name), Is.EqualTo(module.Parameters.Select(p => p.Name)));
            foreach (var (parameter, gradient) in module.Parameters.Zip(results.Parameters))
                Run((FeatureMap<double>)parameter.Value, gradient.Read(), parameter.Name);
        }
        foreach (var input in inputs)
            input.Dispose();

        void Run(FeatureMap<double> operand, double[] gradient, string name) => GradientCheck.Run(
            () => operands.Forward(module, inputs),
            operand,
            gradient,
            operands.GradOutput.ToArray(),
            most ?? Most(device),
            $"{name}, {device} {what}");
    }
}

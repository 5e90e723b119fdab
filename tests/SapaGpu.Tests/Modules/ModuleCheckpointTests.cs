using NUnit.Framework;

namespace SapaGpu.Tests.Modules;

/// <summary>Parameters of modules to files and back.</summary>
[TestFixture]
public sealed class ModuleCheckpointTests
{
    private static readonly SapaOptions Options = new()
    {
        Similarity = Similarity.GatedBilinear,
        EncoderChannels = 4,
        DecoderChannels = 6,
        EmbeddingChannels = 3,
        ValueChannels = 5,
        NormGroups = 2,
        Window = 3,
    };

    private static ComputeDevice Cpu => TestDevices.Open("cpu");

    private static IEnumerable<TestCaseData> Cases =>
    [
        Named("SAPA-G", () => SapaCase.Of<float>(Options, SapaSizes.Odd)),
        Named("SAPA concatenated", () => SapaCase.Of<float>(
            Options with { Similarity = Similarity.Concatenated }, SapaSizes.Odd)),
        Named("SAPA-D", () => DeformableCase.Of<float>(new SapaDeformableOptions
        {
            EncoderChannels = 2,
            DecoderChannels = 4,
            Groups = 2,
            Points = 2,
            FeatureNorm = FeatureNormKind.Group,
            NormGroups = 2,
        })),
        Named("CARAFE", () => CarafeCase.Of<float>(new CarafeOptions
        {
            Channels = 4,
            CompressedChannels = 2,
            Window = 3,
        })),
    ];

    [TestCaseSource(nameof(Cases))]
    public void A_saved_module_is_loaded_with_the_same_output(Func<ModuleCase> make)
    {
        var operands = make();
        foreach (var type in new[]
                 {
                     CheckpointType.Float64, CheckpointType.Float32, CheckpointType.Float16, CheckpointType.BFloat16,
                 })
        {
            Run<double>(operands, type);
            Run<float>(operands, type);
        }
        Run<Half>(operands, CheckpointType.Float32);
        Run<BFloat16>(operands, CheckpointType.Float16);
    }

    [Test]
    public void Names_shapes_and_types_are_those_of_the_parameters()
    {
        using var single = new SapaUpsampler<BFloat16>(Cpu, Options);
        var state = single.ToStateDict();
        Assert.That(state.Keys, Is.EqualTo(single.Parameters.Select(p => p.Name)));
        Assert.That(state.Values.Select(entry => entry.Type), Is.All.EqualTo(CheckpointType.Float32));
        foreach (var parameter in single.Parameters)
        {
            Assert.That(state[parameter.Name].Shape, Is.EqualTo(parameter.Shape), parameter.Name);
            Assert.That(state[parameter.Name].ToDoubles(), Is.EqualTo(parameter.Read()), parameter.Name);
        }
        using var both = new SapaUpsampler<double>(Cpu, Options);
        Assert.That(both.ToStateDict().Values.Select(entry => entry.Type), Is.All.EqualTo(CheckpointType.Float64));
        Assert.That(
            () => both.ToStateDict(CheckpointType.Int32), Throws.ArgumentException.With.Message.Contains("Int32"));
        both.Dispose();
        Assert.That(() => both.ToStateDict(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => both.Load(state), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_part_of_a_larger_checkpoint_is_found_by_its_prefix()
    {
        const string Prefix = "decode_head.up1.";
        using var folder = new TemporaryFolder();
        using var saved = new SapaUpsampler<float>(Cpu, Options, seed: 1);
        using var loaded = new SapaUpsampler<float>(Cpu, Options, seed: 2);
        var larger = new StateDict();
        larger.Add(StateEntry.FromDoubles("backbone.weight", [2, 1], [1, 2], CheckpointType.Float32));
        foreach (var entry in saved.ToStateDict().Values)
            larger.Add(new StateEntry(Prefix + entry.Name, [.. entry.Shape], entry.Type, entry.Bytes));
        larger.Save(folder["all.safetensors"]);
        Assert.That(
            () => loaded.Load(folder["all.safetensors"]),
            Throws.TypeOf<StateMismatchException>().With.Message.Contains(Prefix));
        Assert.That(
            () => loaded.Load(folder["all.safetensors"], "decode_head."), Throws.TypeOf<StateMismatchException>());
        var report = loaded.Load(folder["all.safetensors"], Prefix);
        Assert.That(report.IsComplete);
        SameParameters(loaded, Read(saved));
        Assert.That(() => loaded.Load(folder["all.safetensors"], null!), Throws.ArgumentNullException);
        Assert.That(() => loaded.Load((StateDict)null!), Throws.ArgumentNullException);
    }

    [Test]
    public void What_is_missing_and_unexpected_is_listed_and_nothing_changed()
    {
        using var module = new SapaUpsampler<float>(Cpu, Options, seed: 3);
        using var other = new SapaUpsampler<float>(Cpu, Options, seed: 4);
        var before = Read(module);
        var state = new StateDict();
        foreach (var entry in other.ToStateDict().Values.Where(entry => entry.Name is not ("gate.bias" or "qx.weight")))
            state.Add(entry);
        state.Add(StateEntry.FromDoubles("o.weight", [1], [1], CheckpointType.Float32));
        var error = Assert.Throws<StateMismatchException>(() => module.Load(state));
        Assert.That(error!.Missing, Is.EqualTo(new[] { "qx.weight", "gate.bias" }));
        Assert.That(error.Unexpected, Is.EqualTo(new[] { "o.weight" }));
        Assert.That(
            error.Message, Does.Contain("qx.weight").And.Contain("gate.bias").And.Contain("o.weight").And.Not.Contain("\n"));
        SameParameters(module, before);

        var report = module.Load(state, strict: false);
        Assert.That(report.Missing, Is.EqualTo(new[] { "qx.weight", "gate.bias" }));
        Assert.That(report.Unexpected, Is.EqualTo(new[] { "o.weight" }));
        var expected = Read(other);
        foreach (string name in report.Missing)
            expected[name] = before[name];
        SameParameters(module, expected);
    }

    [Test]
    public void Other_shapes_are_refused_even_without_strict([Values] bool strict)
    {
        using var module = new SapaUpsampler<float>(Cpu, Options, seed: 5);
        using var wider = new SapaUpsampler<float>(Cpu, Options with { EmbeddingChannels = 4 }, seed: 6);
        var before = Read(module);
        var error = Assert.Throws<StateMismatchException>(() => module.Load(wider.ToStateDict(), strict));
        Assert.That(
            error!.ShapeMismatches,
            Is.EqualTo(new[] { "qy.weight", "qy.bias", "qx.weight", "qx.bias", "k.weight", "k.bias" }));
        Assert.That(error.Message, Does.Contain("[4, 6]").And.Contain("[3, 6]"));
        SameParameters(module, before);
    }

    [Test]
    public void Convolutions_and_linear_layers_stand_for_each_other()
    {
        using var linear = new SapaUpsampler<double>(Cpu, Options, seed: 7);
        using var convolution = new SapaUpsampler<double>(
            Cpu, Options with { FeatureNorm = FeatureNormKind.Group }, seed: 8);
        var expected = Read(convolution);
        linear.Load(convolution.ToStateDict());
        SameParameters(linear, expected);
        using var another = new SapaUpsampler<double>(Cpu, Options, seed: 9);
        convolution.Load(another.ToStateDict());
        SameParameters(convolution, Read(another));
    }

    [Test]
    public void A_file_that_is_missing_or_no_checkpoint_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var module = new SapaUpsampler<float>(Cpu, Options, seed: 10);
        var before = Read(module);
        File.WriteAllText(folder["text.pth"], "this is no checkpoint");
        Assert.That(() => module.Load(folder["text.pth"]), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => module.Load(folder["nothing.pth"]), Throws.InstanceOf<IOException>());
        SameParameters(module, before);
    }

    private static TestCaseData Named(string name, Func<ModuleCase> make) =>
        new TestCaseData(make).SetArgDisplayNames(name);

    private static void Run<T>(ModuleCase operands, CheckpointType type)
        where T : unmanaged
    {
        using var folder = new TemporaryFolder();
        string path = folder["module.safetensors"];
        using var saved = operands.CreateFilled<T>(Cpu);
        using var loaded = operands.Create<T>(Cpu);
        var before = Output(operands, saved);
        saved.ToStateDict(type).Save(path);
        Assert.That(loaded.Load(path).IsComplete, $"{type}");
        bool isExact = type is CheckpointType.Float64 or CheckpointType.Float32;
        if (isExact)
            Compare.Bitwise(Output(operands, loaded), before, $"{type}");

        // Both modules with the rounded parameters.
        saved.Load(path);
        Compare.Bitwise(Output(operands, loaded), Output(operands, saved), $"{type} again");
        SameParameters(loaded, Read(saved));
        foreach (var parameter in loaded.Parameters)
        {
            var expected = Array.ConvertAll(
                operands.Parameters[parameter.Name].ToArray(),
                value =>
                    isExact ? value : type == CheckpointType.Float16 ? (double)(Half)value : (float)(BFloat16)value);
            Assert.That(parameter.Read(), Is.EqualTo(expected), $"{type} {parameter.Name}");
        }
    }

    private static T[] Output<T>(ModuleCase operands, UpsamplerModule<T> module)
        where T : unmanaged
    {
        var inputs = operands.Inputs.Values.Select(input => input.ToTensor<T>(Cpu, MemoryFormat.Contiguous)).ToArray();
        using var output = operands.Forward(module, inputs);
        foreach (var input in inputs)
            input.Dispose();
        return output.ToArray();
    }

    private static Dictionary<string, double[]> Read<T>(UpsamplerModule<T> module)
        where T : unmanaged => module.Parameters.ToDictionary(p => p.Name, p => p.Read());

    private static void SameParameters<T>(UpsamplerModule<T> module, Dictionary<string, double[]> expected)
        where T : unmanaged
    {
        foreach (var parameter in module.Parameters)
            Assert.That(parameter.Read(), Is.EqualTo(expected[parameter.Name]), parameter.Name);
    }
}

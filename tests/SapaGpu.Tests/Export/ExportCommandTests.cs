using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Onnx;
using SapaGpu.Tests.Guided;
using SapaGpu.Tests.Robustness;

namespace SapaGpu.Tests.Export;

/// <summary><c>sapagpu export</c>: the file is that of the module which the checkpoint was saved from.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class ExportCommandTests
{
    private TemporaryFolder folder = null!;

    private static IEnumerable<TestCaseData> SapaModules
    {
        get
        {
            var plain = new SapaOptions { EncoderChannels = 4, DecoderChannels = 6, EmbeddingChannels = 3 };
            yield return Case("sapa-b", plain);
            yield return Case("sapa-b", plain with { FeatureNorm = FeatureNormKind.None, HasBias = false });
            yield return Case(
                "sapa-b",
                plain with { FeatureNorm = FeatureNormKind.Group, NormGroups = 2, ValueChannels = 5 },
                "--norm-groups", "2");
            yield return Case("sapa-g", plain with { Similarity = Similarity.GatedBilinear, ValueChannels = 5 });
            yield return Case(
                "sapa-cat",
                plain with
                {
                    Similarity = Similarity.Concatenated,
                    Window = 3,
                    Border = BorderRule.Masked,
                    Normalisation = ScoreNormalisation.Sigmoid,
                    Epsilon = 0.01,
                },
                "--window", "3", "--border", "masked", "--normalisation", "sigmoid", "--epsilon", "0.01");
            yield return Case("sapa-i", plain with { Similarity = Similarity.InnerProduct, EncoderChannels = 6 });
            yield return Case(
                "sapa-i", plain with { Similarity = Similarity.InnerProduct, EncoderChannels = 6, ValueChannels = 2 });

            static TestCaseData Case(string name, SapaOptions options, params string[] arguments) =>
                new TestCaseData(name, options, arguments)
                    .SetName($"Sapa_of_a_checkpoint({name}, {options.FeatureNorm}, {options.ValueChannels})");
        }
    }

    [SetUp]
    public void CreateFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCaseSource(nameof(SapaModules))]
    public void Sapa_of_a_checkpoint(string name, SapaOptions options, string[] arguments)
    {
        using var module = new SapaUpsampler<float>(TestDevices.Open("cpu"), options, seed: 4);
        module.ToStateDict().Save(folder["module.safetensors"]);
        Export(name, arguments);
        Assert.That(File.ReadAllBytes(folder["module.onnx"]), Is.EqualTo(OnnxModel.Export(module).ToArray()));
        Export(name, [.. arguments, "--ratio", "integer"]);
        var export = new OnnxExportOptions { Ratio = OnnxRatio.Integer };
        Assert.That(File.ReadAllBytes(folder["module.onnx"]), Is.EqualTo(OnnxModel.Export(module, export).ToArray()));
    }

    [Test]
    public void Carafe_of_a_checkpoint_in_half_precision()
    {
        var options = new CarafeOptions
        {
            Channels = 6,
            CompressedChannels = 3,
            Scale = 3,
            Groups = 2,
            Window = 3,
            EncoderKernel = 5,
            EncoderDilation = 2,
        };
        using var module = new CarafeUpsampler<Half>(TestDevices.Open("cpu"), options, seed: 4);
        module.ToStateDict().Save(folder["module.safetensors"]);
        Export("carafe", ["--window", "3", "--groups", "2", "--dilation", "2", "--dtype", "f16"]);
        Assert.That(File.ReadAllBytes(folder["module.onnx"]), Is.EqualTo(OnnxModel.Export(module).ToArray()));
    }

    [TestCase(true, 3, FeatureNormKind.None)]
    [TestCase(false, 2, FeatureNormKind.Group)]
    public void Deformable_attention_of_a_checkpoint(bool hasOwnOffsets, int scale, FeatureNormKind norm)
    {
        var options = new SapaDeformableOptions
        {
            EncoderChannels = 4,
            DecoderChannels = 6,
            EmbeddingChannels = 3,
            Groups = 2,
            Points = 5,
            Scale = scale,
            HighResolutionOffsets = hasOwnOffsets,
            FeatureNorm = norm,
            NormGroups = 2,
            HasBias = hasOwnOffsets,
        };
        using var module = new SapaDeformableUpsampler<float>(TestDevices.Open("cpu"), options, seed: 4);
        module.ToStateDict().Save(folder["module.safetensors"]);
        string[] arguments = ["--groups", "2", "--points", "5"];
        Export("sapa-d", norm == FeatureNormKind.Group ? [.. arguments, "--norm-groups", "2"] : arguments);
        Assert.That(File.ReadAllBytes(folder["module.onnx"]), Is.EqualTo(OnnxModel.Export(module).ToArray()));
        Fails(ExitCode.Usage, "--groups and --points", "sapa-d", "--groups", "2", "--points", "7");
        Fails(ExitCode.Usage, "no multiple of 4 groups", "sapa-d", "--points", "5");
    }

    [Test]
    public void A_prefix_finds_the_module_among_others()
    {
        var options = new SapaOptions { EncoderChannels = 4, DecoderChannels = 6 };
        using var module = new SapaUpsampler<float>(TestDevices.Open("cpu"), options, seed: 4);
        var whole = new StateDict();
        whole.Add(StateEntry.FromDoubles("head.bias", [1], [1], CheckpointType.Float32));
        foreach (var entry in module.ToStateDict().Values)
            whole.Add(StateEntry.FromDoubles($"up1.{entry.Name}", [.. entry.Shape], entry.ToDoubles(), CheckpointType.Float32));
        whole.Save(folder["module.safetensors"]);
        Export("sapa-b", ["--prefix", "up1."]);
        Assert.That(File.ReadAllBytes(folder["module.onnx"]), Is.EqualTo(OnnxModel.Export(module).ToArray()));
        Fails(ExitCode.Failure, "no parameter k.weight", "sapa-b");
        Fails(ExitCode.Failure, "up1.", "sapa-b");
    }

    [Test]
    public void What_does_not_fit_is_refused_in_one_line_and_leaves_no_file()
    {
        using var carafe = new CarafeUpsampler<float>(TestDevices.Open("cpu"), new CarafeOptions { Channels = 4 });
        carafe.ToStateDict().Save(folder["module.safetensors"]);
        Fails(ExitCode.Failure, "no parameter k.weight", "sapa-g");
        Fails(ExitCode.Failure, "no parameter norm_x.weight", "sapa-i");
        Fails(ExitCode.Usage, "100 outputs", "carafe", "--window", "7");
        Fails(ExitCode.Usage, "--border means nothing to carafe", "carafe", "--border", "masked");
        Fails(ExitCode.Usage, "--groups means nothing to sapa-b", "sapa-b", "--groups", "2");
        Fails(ExitCode.Usage, "--points means nothing to carafe", "carafe", "--points", "2");
        Fails(ExitCode.Usage, "--window means nothing to sapa-d", "sapa-d", "--window", "3");
        Fails(ExitCode.Failure, "no parameter q.weight", "sapa-d");
        Fails(ExitCode.Usage, "--window 4", "carafe", "--window", "4");
        Fails(ExitCode.Usage, "'carafe2'", "carafe2");
        Fails(ExitCode.Failure, "no such", "carafe", "--checkpoint", folder["no such.pth"]);

        using var sapa = new SapaUpsampler<float>(
            TestDevices.Open("cpu"), new SapaOptions { EncoderChannels = 4, DecoderChannels = 4 });
        sapa.ToStateDict().Save(folder["module.safetensors"]);
        Fails(ExitCode.Failure, "more than the 4 of k.weight", "sapa-cat");
        Fails(ExitCode.Failure, "norm_y.weight", "sapa-b", "--feature-norm", "none");
        Fails(ExitCode.Usage, "the checkpoint", "sapa-b", "--output", folder["module.safetensors"]);
    }

    [Test]
    public void Kernels_that_are_not_square_are_refused_before_memory_is_taken_for_them()
    {
        var state = new StateDict();
        foreach (var (name, shape) in ((string, int[])[])
            [("channel_compressor.weight", [1, 1, 1, 1]), ("content_encoder.weight", [100, 1, 40_001, 1])])
        {
            var values = new double[shape.Aggregate((product, size) => product * size)];
            state.Add(StateEntry.FromDoubles(name, shape, values, CheckpointType.Float16));
        }
        state.Save(folder["module.safetensors"]);
        Fails(ExitCode.Failure, "40001x1; it must be square", "carafe");
    }

    private void Export(string module, string[] arguments)
    {
        var run = ToolRun.Of(
            ["export", "-c", folder["module.safetensors"], "-m", module, "-o", folder["module.onnx"], .. arguments]);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(run.Output, Does.Contain(module).And.Contain("bytes"));
    }

    private void Fails(int code, string cause, string module, params string[] arguments)
    {
        string[] own = ["--checkpoint", folder["module.safetensors"], "--output", folder["failed.onnx"]];
        for (int i = 0; i < own.Length; i += 2)
        {
            if (!arguments.Contains(own[i]))
                arguments = [own[i], own[i + 1], .. arguments];
        }
        var run = ToolRun.Of(["export", "--module", module, .. arguments]);
        ToolAssert.EndsProperly(run, cause);
        Assert.That(run.ExitCode, Is.EqualTo(code), run.Errors);
        Assert.That(run.Errors, Does.Contain(cause));
        Assert.That(File.Exists(folder["failed.onnx"]), Is.False, cause);
    }
}

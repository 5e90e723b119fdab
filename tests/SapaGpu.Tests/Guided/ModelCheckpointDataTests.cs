using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>
/// <c>sapagpu upsample --model</c> with checkpoints that others wrote, where SAPAGPU_DATA names a folder that has them: what the tool
/// finds out from shapes is what the case says.
/// </summary>
[TestFixture]
[NonParallelizable]
internal sealed class ModelCheckpointDataTests : UpsampleFixture
{
    private static readonly int[] Shape = [12, UpsampleRuns.MapHeight, UpsampleRuns.MapWidth];
    private static readonly double[] Features = SmallModels.Features(Shape[0] * Shape[1] * Shape[2]);

    private static IEnumerable<string> Files
    {
        get
        {
            string? data = Environment.GetEnvironmentVariable("SAPAGPU_DATA");
            string folder = Path.Combine(data ?? string.Empty, "golden-cross");
            if (data is null || !Directory.Exists(folder))
                return [string.Empty];
            return Directory.EnumerateFiles(folder, "checkpoint_*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
        }
    }

    [TestCaseSource(nameof(Files))]
    public void The_result_is_that_of_the_module(string path)
    {
        if (path.Length == 0)
            Assert.Ignore("SAPAGPU_DATA names no folder with checkpoints of models.");
        Runs.WriteArray("f.npy", "<f4", Shape, Features);
        var description = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "case.json"))).RootElement;
        bool isNaf = description.GetProperty("op").GetString() == "naf";
        var numbers = description.GetProperty("params");
        string[] options = isNaf
            ? ["--model", "naf", "--heads", Text("heads_attn"), "--window", Text("kernel_size")]
            : ["--model", "anyup", "--heads", Text("num_heads"), "--window-ratio", Text("window_ratio")];
        UpsampleRuns.AssertSucceeds(Runs.Upsample(
            "f.npy", "o.npy", ["--checkpoint", path, "--norm-groups", Text("num_groups"), .. options]));
        var device = TestDevices.Open("cpu");
        using ImageGuidedUpsampler<double> module = isNaf
            ? new NafUpsampler<double>(device, new NafOptions
            {
                Channels = Number("dim"),
                Heads = Number("heads_attn"),
                RotaryHeads = Number("heads_rope"),
                Window = Number("kernel_size"),
                Blocks = Number("img_layers"),
                NormGroups = Number("num_groups"),
            })
            : new AnyUpUpsampler<double>(device, new AnyUpOptions
            {
                Channels = Number("qk_dim"),
                Heads = Number("num_heads"),
                ImageKernel = Number("kernel_size"),
                FeatureKernel = Number("kernel_size_lfu"),
                FeatureKernels = Number("lfu_dim"),
                WindowRatio = numbers.GetProperty("window_ratio").GetDouble(),
                NormGroups = Number("num_groups"),
            });
        module.Load(path);
        var expected = SmallModels.Upsample(module, Runs.Photo, Shape, Features, UpsampleRuns.Height, UpsampleRuns.Width);
        Assert.That(NpyFile.Read(Runs["o.npy"]).Values, Is.EqualTo(expected).Within(1e-4));

        int Number(string name) => numbers.GetProperty(name).GetInt32();
        string Text(string name) => numbers.GetProperty(name).GetRawText();
    }
}

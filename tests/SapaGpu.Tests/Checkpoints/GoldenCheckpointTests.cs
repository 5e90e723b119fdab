using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Checkpoints;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>
/// Checkpoints in every format that others wrote, where the environment variable SAPAGPU_DATA names a folder that has
/// them under "golden".
/// </summary>
[TestFixture]
public sealed class GoldenCheckpointTests
{
    private const int Mutations = 4000;
    private static readonly TimeSpan LongestLoad = TimeSpan.FromSeconds(10);

    public static IEnumerable<string> Files =>
    [
        "sapa_b_small/checkpoint_f32.pth", "sapa_b_small/checkpoint_f32_legacy.pth",
        "sapa_b_small/checkpoint_f32.safetensors", "sapa_b_small/checkpoint_f32_views.pth",
        "sapa_b_small/checkpoint_f64.pth", "sapa_b_small/checkpoint_f64.safetensors",
        "sapa_b_small/checkpoint_f16.pth", "sapa_b_small/checkpoint_f16.safetensors",
        "sapa_b_small/checkpoint_bf16.pth", "sapa_b_small/checkpoint_bf16.safetensors",
        "sapa_g_small/checkpoint_f32.pth", "sapa_g_small/checkpoint_f32_legacy.pth",
        "sapa_g_small/checkpoint_f32.safetensors",
    ];

    [TestCaseSource(nameof(Files))]
    public void A_checkpoint_has_the_parameters(string file)
    {
        string path = Find(file);
        var type = file.Contains("bf16") ? CheckpointType.BFloat16
            : file.Contains("f16") ? CheckpointType.Float16
            : file.Contains("f64") ? CheckpointType.Float64
            : CheckpointType.Float32;
        var parameters = Parameters(Path.GetDirectoryName(path)!);
        var state = StateDict.Load(path);
        Assert.That(parameters, Is.Not.Empty);
        Assert.That(state.Keys, Is.EquivalentTo(parameters.Keys));
        foreach (var (name, array) in parameters)
        {
            var entry = state[name];
            Assert.That(entry.Type, Is.EqualTo(type), name);
            Assert.That(entry.Shape, Is.EqualTo(array.Shape), name);
            var expected = Array.ConvertAll(array.Values, value => Round(value, type));
            Assert.That(entry.ToDoubles(), Is.EqualTo(expected), name);
            Assert.That(entry.ToFloats(), Is.EqualTo(Array.ConvertAll(expected, value => (float)value)), name);
        }
    }

    [TestCaseSource(nameof(Files))]
    public void A_checkpoint_survives_being_saved(string file)
    {
        var state = StateDict.Load(Find(file));
        using var stream = new MemoryStream();
        state.Save(stream);
        stream.Position = 0;
        var again = StateDict.Load(stream);
        Assert.That(again.Keys, Is.EqualTo(state.Keys));
        Assert.That(again.Metadata, Is.EquivalentTo(state.Metadata));
        foreach (var entry in state.Values)
            Assert.That(again[entry.Name].Bytes.ToArray(), Is.EqualTo(entry.Bytes.ToArray()), entry.Name);
    }

    [TestCaseSource(nameof(Files))]
    public void A_checkpoint_loads_into_a_module_of_its_parameters(string file)
    {
        string path = Find(file);
        var expected = Parameters(Path.GetDirectoryName(path)!)
            .Select(parameter => new ExpectedEntry(parameter.Key, parameter.Value.Shape)).ToList();
        Assert.That(StateMatching.Match(expected, StateDict.Load(path)).Report.IsComplete);
    }

    [TestCaseSource(nameof(Files))]
    public void A_damaged_checkpoint_is_refused_or_read(string file) =>
        Mutation.AssertHarmless(File.ReadAllBytes(Find(file)), Mutations, LongestLoad);

    private static string Find(string file)
    {
        string? data = Environment.GetEnvironmentVariable("SAPAGPU_DATA");
        string path = Path.Combine(data ?? string.Empty, "golden", file);
        if (data is null || !File.Exists(path))
            Assert.Ignore("SAPAGPU_DATA names no folder with golden checkpoints.");
        return path;
    }

    private static Dictionary<string, NpyArray> Parameters(string folder)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "case.json")));
        return document.RootElement.GetProperty("tensors").EnumerateArray()
            .Where(tensor => tensor.GetProperty("role").GetString() == "parameter")
            .ToDictionary(
                tensor => tensor.GetProperty("name").GetString()!,
                tensor => NpyFile.Read(Path.Combine(folder, tensor.GetProperty("file").GetString()!)));
    }

    // The nearest number with so many bits after the leading one, ties to even, of those in the normal range.
    private static double Round(double value, CheckpointType type)
    {
        int bits = type switch
        {
            CheckpointType.BFloat16 => 7,
            CheckpointType.Float16 => 10,
            _ => 52,
        };
        int leastExponent = type == CheckpointType.Float16 ? -14 : -126;
        if (bits == 52 || value == 0)
            return value;
        double unit = Math.ScaleB(1, Math.Max(Math.ILogB(value), leastExponent) - bits);
        return Math.Round(value / unit, MidpointRounding.ToEven) * unit;
    }
}

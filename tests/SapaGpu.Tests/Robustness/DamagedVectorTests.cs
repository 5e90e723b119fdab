using System.Text.Json.Nodes;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Tests.Guided;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Robustness;

/// <summary><c>sapagpu verify</c> on folders that are damaged in all ways that JSON and arrays allow.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class DamagedVectorTests
{
    private const string Name = "sim_k3_s2";

    private TemporaryFolder folder = null!;

    [SetUp]
    public void CopyVector()
    {
        folder = new TemporaryFolder();
        Directory.CreateDirectory(folder[Name]);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "vectors", Name)))
            File.Copy(file, Path.Combine(folder[Name], Path.GetFileName(file)));
        WriteIndex($$"""{"cases":[{"name":"{{Name}}","op":"sim","folder":"{{Name}}"}]}""");
    }

    [TearDown]
    public void RemoveFiles() => folder.Dispose();

    [Test]
    public void The_vector_passes_before_it_is_damaged()
    {
        var run = Verify();
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)), run.Output);
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("7")]
    [TestCase("{}")]
    [TestCase("""{"cases":""")]
    [TestCase("""{"cases":null}""")]
    [TestCase("""{"cases":{}}""")]
    [TestCase("""{"cases":[null]}""")]
    [TestCase("""{"cases":[[]]}""")]
    [TestCase("""{"cases":[{}]}""")]
    [TestCase("""{"cases":[{"name":"a","op":"b","folder":null}]}""")]
    [TestCase("""{"cases":[{"name":"a","op":"b","folder":"/no/such/folder"}]}""")]
    [TestCase("""{"cases":[{"name":"a","op":"b","folder":"\u0000\u001b[31m"}]}""")]
    public void An_index_that_is_none_is_refused(string index)
    {
        WriteIndex(index);
        AssertRefuses(Verify());
    }

    [Test]
    public void An_index_without_an_end_is_refused()
    {
        WriteIndex(new string('[', 1 << 20));
        AssertRefuses(Verify());
    }

    [TestCase("format")]
    [TestCase("name")]
    [TestCase("op")]
    [TestCase("params")]
    [TestCase("tensors")]
    public void Members_that_are_missing_null_or_of_another_type_are_refused(string member)
    {
        foreach (var value in (JsonNode?[])[null, 7, new JsonArray(), new JsonArray((JsonNode?)null), new JsonObject()])
        {
            ChangeCase(file => file[member] = value?.DeepClone());
            AssertFails(Verify(), $"{member}: {value}");
        }
        ChangeCase(file => file.Remove(member));
        AssertRefuses(Verify());
    }

    [TestCase("name")]
    [TestCase("file")]
    [TestCase("role")]
    [TestCase("shape")]
    [TestCase("max_abs")]
    public void Tensors_without_a_member_are_refused(string member)
    {
        foreach (var value in (JsonNode?[])[null, "\u001b[2J", "\0", new JsonArray(0), new JsonObject()])
        {
            ChangeCase(file =>
            {
                foreach (var tensor in file["tensors"]!.AsArray())
                    tensor![member] = value?.DeepClone();
            });
            AssertFails(Verify(), $"{member}: {value}");
        }
    }

    [Test]
    public void Parameters_of_another_type_or_size_are_refused()
    {
        foreach (var value in (JsonNode?[])[null, "x", 1.5, -1, 0, int.MaxValue, 1e300, new JsonArray()])
        {
            ChangeCase(file => file["params"]!["kernel_size"] = value?.DeepClone());
            AssertFails(Verify(), $"{value}");
        }
    }

    [Test]
    public void Damaged_arrays_are_refused()
    {
        foreach (string array in (string[])["q.npy", "out.npy", "grad_k.npy"])
        {
            string path = Path.Combine(folder[Name], array);
            var whole = File.ReadAllBytes(path);
            foreach (int length in (int[])[0, 5, 9, 60, whole.Length - 1])
            {
                File.WriteAllBytes(path, whole[..length]);
                AssertFails(Verify(), $"{array}, {length} bytes");
            }
            foreach (int[] shape in (int[][])[[], [0], [int.MaxValue, int.MaxValue, int.MaxValue], [1, 1, 1, 1], [2, 6, 8, 5, 1]])
            {
                using (var stream = File.Create(path))
                {
                    NpyFile.WriteHeader(stream, "<f8", shape);
                    stream.Write(whole.AsSpan(128));
                }
                AssertFails(Verify(), $"{array}, [{string.Join(", ", shape)}]");
            }
            File.Delete(path);
            AssertFails(Verify(), $"{array} is missing");
            File.WriteAllBytes(path, whole);
        }
    }

    private static void AssertRefuses(ToolRun run)
    {
        ToolAssert.EndsProperly(run, run.Errors);
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Failure), run.Errors);
    }

    /// <summary>Either the run fails, with a line of error, or the case does, with a row of the table.</summary>
    private static void AssertFails(ToolRun run, string what)
    {
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Failure), what + run.Output);
        ToolAssert.IsPlain(run, what);
        if (run.Errors.Length > 0)
            ToolAssert.EndsProperly(run, what);
        else
            Assert.That(run.Output, Does.Contain("failed"), what);
    }

    private ToolRun Verify() => ToolRun.Of("verify", folder.Path, "--device", "cpu", "--dtype", "f64");

    private void WriteIndex(string text) => File.WriteAllText(folder["index.json"], text);

    private void ChangeCase(Action<JsonObject> change)
    {
        string original = Path.Combine(AppContext.BaseDirectory, "vectors", Name, "case.json");
        var file = JsonNode.Parse(File.ReadAllText(original))!.AsObject();
        change(file);
        File.WriteAllText(Path.Combine(folder[Name], "case.json"), file.ToJsonString());
    }
}

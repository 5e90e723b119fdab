using NUnit.Framework;
using SapaGpu.Devices;
using SapaGpu.Tests.Operators;

namespace SapaGpu.Tests.Devices;

/// <summary>Compiled code that is kept for later processes: used when it is whole, and never in the way.</summary>
[TestFixture]
public sealed class CodeStoreTests
{
    private static readonly string[] Devices = ["cuda", "opencl"];

    [Test]
    public void What_was_written_is_read()
    {
        using var folder = new TemporaryFolder();
        var store = CodeStore.Open(folder.Path)!;
        Assert.That(store.Read("key"), Is.Null);
        store.Write("key", "first\nsecond\n");
        store.Write("other", string.Empty);
        Assert.That(store.Read("key"), Is.EqualTo("first\nsecond\n"));
        Assert.That(store.Read("other"), Is.Empty);
        Assert.That(CodeStore.Open(folder.Path)!.Read("key"), Is.EqualTo("first\nsecond\n"));
    }

    [Test]
    public void What_is_damaged_is_not_read([Values("", "x", "sapagpu-code-1 0\ntext")] string content)
    {
        using var folder = new TemporaryFolder();
        var store = CodeStore.Open(folder.Path)!;
        store.Write("key", "text");
        foreach (string file in Files(folder))
            File.WriteAllText(file, content);
        Assert.That(store.Read("key"), Is.Null);
        foreach (string file in Files(folder))
            File.Delete(file);
        store.Write("key", "text");
        string whole = File.ReadAllText(Files(folder).Single());
        File.WriteAllText(Files(folder).Single(), whole[..^1]);
        Assert.That(store.Read("key"), Is.Null);
    }

    [Test]
    public void A_folder_that_cannot_be_is_no_error()
    {
        using var folder = new TemporaryFolder();
        string file = System.IO.Path.Combine(folder.Path, "file");
        File.WriteAllText(file, "x");
        var store = CodeStore.Open(file)!;
        store.Write("key", "text");
        Assert.That(store.Read("key"), Is.Null);
        Assert.That(CodeStore.Open(string.Empty), Is.Null);
    }

    [Test]
    public void Builds_that_were_not_used_for_long_are_removed()
    {
        using var folder = new TemporaryFolder();
        string old = Directory.CreateDirectory(System.IO.Path.Combine(folder.Path, "0123456789abcdef")).FullName;
        string recent = Directory.CreateDirectory(System.IO.Path.Combine(folder.Path, "fedcba9876543210")).FullName;
        string foreign = Directory.CreateDirectory(System.IO.Path.Combine(folder.Path, "mine")).FullName;
        Directory.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-40));
        Directory.SetLastWriteTimeUtc(foreign, DateTime.UtcNow.AddDays(-40));
        CodeStore.Open(folder.Path)!.Write("key", "text");
        Assert.That(Directory.Exists(old), Is.False);
        Assert.That(Directory.Exists(recent) && Directory.Exists(foreign));
    }

    [TestCaseSource(nameof(Devices))]
    public void A_device_uses_what_another_compiled_and_mends_what_is_damaged(string id)
    {
        using var folder = new TemporaryFolder();
        float[] expected = Run(id, folder);
        string[] files = Files(folder);
        Assert.That(files, Is.Not.Empty);
        var written = files.ToDictionary(file => file, File.GetLastWriteTimeUtc);
        Assert.That(Run(id, folder), Is.EqualTo(expected));
        Assert.That(Files(folder).ToDictionary(file => file, File.GetLastWriteTimeUtc), Is.EqualTo(written));

        foreach (string file in files)
            File.WriteAllText(file, File.ReadAllText(file)[..^100]);
        Assert.That(Run(id, folder), Is.EqualTo(expected));
        written = files.ToDictionary(file => file, File.GetLastWriteTimeUtc);
        Assert.That(Run(id, folder), Is.EqualTo(expected));
        Assert.That(Files(folder).ToDictionary(file => file, File.GetLastWriteTimeUtc), Is.EqualTo(written));
    }

    [Test]
    public void The_processor_keeps_nothing()
    {
        using var folder = new TemporaryFolder();
        Run("cpu", folder);
        Assert.That(Files(folder), Is.Empty);
    }

    private static string[] Files(TemporaryFolder folder) =>
        [.. Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private static float[] Run(string id, TemporaryFolder folder)
    {
        using var device = TestDevices.OpenAnew(id, new DeviceOptions { CodeFolder = folder.Path });
        var operands = new AttentionCase(new WindowProblem(1, 3, 4, 3, 2, 4, 8), BorderRule.ZeroLogit);
        using var query = operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var key = operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var value = operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var output = WindowAttention.Forward(query, key, value, operands.Options);
        return output.ToArray();
    }
}

using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>The files that <c>code</c> writes.</summary>
public sealed class CodeCommandTests
{
    [Test]
    public void Index_says_what_every_file_is()
    {
        using var folder = new TemporaryFolder();
        var kernels = KernelCatalogue.Fast.Where(
            kernel => kernel.Operator is "CellPairSimilarity" && !kernel.IsNarrow).ToArray();
        Assert.That(CodeCommand.Write(folder.Path, kernels), Is.EqualTo(kernels.Length));
        var rows = File.ReadAllLines(Path.Combine(folder.Path, "index.tsv")).Select(line => line.Split('\t')).ToArray();
        Assert.That(
            rows[0][..7], Is.EqualTo(new[] { "file", "kernel", "element type", "window", "ratio", "format", "pass" }));
        Assert.That(
            rows.Skip(1).Select(row => string.Join(' ', row[1..7])),
            Is.EquivalentTo(
                from window in OperatorSupport.FastWindows
                select $"CellPairSimilarity f32 {window} 2 channels_last forward"));
        foreach (string file in rows.Skip(1).Select(row => row[0]))
            Assert.That(File.ReadAllText(Path.Combine(folder.Path, file)), Does.Contain(".entry"));
    }

    [Test]
    public void Every_kernel_has_a_file_of_its_own() =>
        Assert.That(KernelCatalogue.All.Select(kernel => kernel.FileName), Is.Unique);
}

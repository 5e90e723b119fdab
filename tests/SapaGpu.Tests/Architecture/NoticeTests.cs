using System.Text.Json;
using NUnit.Framework;

namespace SapaGpu.Tests.Architecture;

/// <summary>NOTICE names the packages that the shipped projects refer to, and no others.</summary>
[TestFixture]
internal sealed class NoticeTests
{
    private const string EntryStart = "- ";

    // What looks at sources and at their history is part of no package.
    private static readonly string[] BuildTools = ["Microsoft.CodeAnalysis.PublicApiAnalyzers", "MinVer"];

    [Test]
    public void Notice_names_the_packages_of_shipped_projects()
    {
        var packages = Packages().Except(BuildTools).ToHashSet();
        Assert.That(packages, Does.Contain("ILGPU").And.Contain("NetVips.Native.linux-x64").And.Contain("TorchSharp"));
        var entries = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "NOTICE"))
            .Where(line => line.StartsWith(EntryStart, StringComparison.Ordinal))
            .Select(line => line[EntryStart.Length..line.IndexOf(':', StringComparison.Ordinal)])
            .ToList();
        Assert.That(packages.Where(package => !entries.Exists(entry => Covers(entry, package))), Is.Empty, "missing");
        Assert.That(entries.Where(entry => !packages.Contains(entry)), Is.Empty, "no longer used");
    }

    /// <summary>Parts of a package, as for one platform, are under its name.</summary>
    private static bool Covers(string entry, string package) =>
        package == entry || package.StartsWith($"{entry}.", StringComparison.Ordinal);

    private static IEnumerable<string> Packages()
    {
        var files = Directory.EnumerateFiles(
            Path.Combine(AppContext.BaseDirectory, "shipped"), "packages.lock.json", SearchOption.AllDirectories);
        foreach (string file in files)
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            foreach (var framework in document.RootElement.GetProperty("dependencies").EnumerateObject())
            {
                foreach (var package in framework.Value.EnumerateObject())
                {
                    if (package.Value.GetProperty("type").GetString() != "Project")
                        yield return package.Name;
                }
            }
        }
    }
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NUnit.Framework;

namespace SapaGpu.TorchSharp.Tests;

/// <summary>
/// Every piece of C# in the README and the docs is a program, or a part of one, that compiles by itself.
/// </summary>
public sealed class SnippetTests
{
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static string Folder => Path.Combine(TestContext.CurrentContext.TestDirectory, "pages");

    private static IEnumerable<TestCaseData> Snippets
    {
        get
        {
            string folder = Path.Combine(AppContext.BaseDirectory, "pages");
            foreach (string page in Directory.EnumerateFiles(folder, "*.md", SearchOption.AllDirectories).Order())
            {
                int number = 0;
                foreach (string snippet in Read(File.ReadAllLines(page)))
                {
                    yield return new TestCaseData(snippet)
                        .SetName($"Snippet_compiles({Path.GetRelativePath(folder, page)}, {++number})");
                }
            }
        }
    }

    [Test]
    public void The_pages_are_found() => Assert.That(
        Directory.GetFiles(Folder, "*.md", SearchOption.AllDirectories).Select(Path.GetFileName),
        Has.Member("README.md").And.Member("torchsharp.md").And.Member("CONTRIBUTING.md"));

    [TestCaseSource(nameof(Snippets))]
    public void Compiles(string snippet) => Assert.That(Errors(snippet), Is.Empty);

    [Test]
    public void A_name_that_is_not_declared_is_an_error() =>
        Assert.That(
            Errors("using SapaGpu; using var device = ComputeDevice.OpenDefault(); device.Launch(undeclared);"),
            Is.Not.Empty);

    private static IEnumerable<string> Read(string[] lines)
    {
        List<string>? snippet = null;
        foreach (string line in lines)
        {
            if (snippet is null)
            {
                if (line.Trim() == "```csharp")
                    snippet = [];
            }
            else if (line.Trim() == "```")
            {
                yield return string.Join('\n', snippet);
                snippet = null;
            }
            else
            {
                snippet.Add(line);
            }
        }
    }

    private static string[] Errors(string snippet)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Preview);
        var tree = CSharpSyntaxTree.ParseText(snippet, options);
        bool isProgram = tree.GetRoot().ChildNodes().Any(node => node.IsKind(SyntaxKind.GlobalStatement));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            "Snippet",
            [CSharpSyntaxTree.ParseText(ImplicitUsings, options), tree],
            references,
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
                allowUnsafe: true,
                nullableContextOptions: NullableContextOptions.Enable));
        return
        [
            .. compilation.GetDiagnostics()
                .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
                .Select(diagnostic => diagnostic.ToString()),
        ];
    }
}

using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Vectors;

/// <summary>
/// The shipped vectors and tests of every operator in processes of their own that do without some of the processor's
/// instructions, as on an older one.
/// </summary>
[TestFixture]
public sealed class InstructionSetTests
{
    private const string OperatorTests =
        "FullyQualifiedName~ResamplingPropertyTests<Single>|FullyQualifiedName~VectorWidthTests<Single>";

    private static readonly (string Variable, int Bits, Func<bool> Applies)[] Settings =
    [
        ("DOTNET_EnableAVX512", 256, () => Avx2.IsSupported),
        ("DOTNET_EnableAVX2", 128, () => Vector128.IsHardwareAccelerated),
        ("DOTNET_EnableHWIntrinsic", 128, () => true),
    ];

    private static IEnumerable<string> Variables => Settings.Select(setting => setting.Variable);

    private static IEnumerable<string> VariablesOfThisTurn => TestPart.Of(Variables, turns: 3);

    [Test]
    [Category(TestPart.Category)]
    public void Shipped_vectors_pass_without(
        [ValueSource(nameof(VariablesOfThisTurn))] string variable,
        [Values(ElementType.Float32, ElementType.Float16)] ElementType elementType)
    {
        RequireInstructions(variable);
        var (code, output) = RunTool(
            variable,
            "verify",
            Path.Combine(AppContext.BaseDirectory, "vectors"),
            "--device",
            "cpu",
            "--dtype",
            elementType.ShortName());
        using var report = JsonDocument.Parse(output);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(code, Is.Zero, output);
            Assert.That(report.RootElement.GetProperty("failed").GetInt32(), Is.Zero);
            Assert.That(report.RootElement.GetProperty("skipped").GetInt32(), Is.Zero);
            Assert.That(report.RootElement.GetProperty("passed").GetInt32(), Is.EqualTo(VectorWriter.Cases.Count));
        }
    }

    [Test]
    public void The_vectors_are_narrower_without([ValueSource(nameof(Variables))] string variable)
    {
        int bits = RequireInstructions(variable);
        Assert.That(RunTool(variable, "info").Output, Does.Contain($" {bits}-bit vectors"));
    }

    [Test]
    [Category(TestPart.Category)]
    public void Operators_match_without([ValueSource(nameof(VariablesOfThisTurn))] string variable)
    {
        RequireInstructions(variable);
        var (code, output, errors) = Run(
            variable, typeof(InstructionSetTests).Assembly.Location, "--filter", OperatorTests);

        // A run of no tests is no success.
        Assert.That(code, Is.Zero, output + errors);
    }

    // The width that is left; without the instructions there is nothing to test.
    private static int RequireInstructions(string variable)
    {
        var (_, bits, applies) = Settings.Single(setting => setting.Variable == variable);
        if (!applies())
            Assert.Ignore("This processor has no such instructions anyway.");
        return bits;
    }

    private static (int Code, string Output) RunTool(string variable, params string[] arguments)
    {
        var (code, output, errors) = Run(variable, [typeof(ExitCode).Assembly.Location, .. arguments, "--json"]);
        Assert.That(errors, Is.Empty, $"{variable}=0 {arguments[0]}");
        return (code, output);
    }

    private static (int Code, string Output, string Errors) Run(string variable, params string[] arguments) =>
        ChildProcess.RunDotnet(
            Variables.Select(name => KeyValuePair.Create(name, name == variable ? "0" : null)), arguments);
}

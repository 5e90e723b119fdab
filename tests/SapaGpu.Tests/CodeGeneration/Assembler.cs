using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>What NVIDIA's assembler says of a kernel.</summary>
/// <param name="Registers">The registers of a thread.</param>
/// <param name="LocalBytes">The bytes of a thread in local memory: spilled registers, and arrays.</param>
/// <param name="SharedBytes">The bytes of shared memory that a group takes.</param>
internal sealed record AssembledKernel(int Registers, int LocalBytes, int SharedBytes);

/// <summary>NVIDIA's assembler, ptxas, where the path has it; it needs no GPU.</summary>
internal static partial class Assembler
{
    private static readonly string? Program = Find("ptxas");
    private static readonly string? Disassembler = Find("nvdisasm");

    /// <summary>Skips the running test where there is no assembler.</summary>
    public static void Require()
    {
        if (Program is null)
            Assert.Ignore("There is no ptxas on the path; it comes with the CUDA toolkit.");
    }

    /// <summary>Skips the running test where there is no assembler or no disassembler.</summary>
    public static void RequireDisassembler()
    {
        Require();
        if (Disassembler is null)
            Assert.Ignore("There is no nvdisasm on the path; it comes with the CUDA toolkit.");
    }

    /// <summary>Assembles a kernel for an architecture such as "sm_90".</summary>
    public static AssembledKernel Assemble(string ptx, string architecture)
    {
        using var folder = new TemporaryFolder();
        string report = Assemble(ptx, architecture, Path.Combine(folder.Path, "kernel.cubin"));
        return new AssembledKernel(
            Number(Registers(), report), Number(StackFrame(), report) + Number(Spills(), report), Number(
                Shared(), report));
    }

    /// <summary>The machine code of a kernel for an architecture.</summary>
    public static SassListing Disassemble(string ptx, string architecture)
    {
        using var folder = new TemporaryFolder();
        string code = Path.Combine(folder.Path, "kernel.cubin");
        Assemble(ptx, architecture, code);
        var (status, output, errors) = ChildProcess.Run(Disassembler!, [], ["-c", code]);
        Assert.That(status, Is.Zero, errors);
        return new SassListing(output);
    }

    private static string Assemble(string ptx, string architecture, string result)
    {
        string source = Path.ChangeExtension(result, ".ptx");

        // The code needs nothing newer, and assemblers refuse versions that they do not know.
        File.WriteAllText(source, Version().Replace(ptx, ".version 7.8", 1));
        var (code, output, errors) = ChildProcess.Run(
            Program!, [], ["-v", $"-arch={architecture}", source, "-o", result]);
        Assert.That(code, Is.Zero, errors);
        return output + errors;
    }

    private static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? $"{name}.exe" : name))
        .FirstOrDefault(File.Exists);

    private static int Number(Regex pattern, string report)
    {
        var match = pattern.Match(report);
        return match.Success ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"^\.version .*$", RegexOptions.Multiline)]
    private static partial Regex Version();

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Registers();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex StackFrame();

    [GeneratedRegex(@"(\d+) bytes spill stores")]
    private static partial Regex Spills();

    [GeneratedRegex(@"(\d+) bytes smem")]
    private static partial Regex Shared();
}

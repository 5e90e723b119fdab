using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace SapaGpu.DeviceBenchmarks.Code;

/// <summary>
/// NVIDIA's assembler and disassembler, ptxas and nvdisasm of the CUDA toolkit, where the path has them; they need no GPU.
/// </summary>
internal static partial class NvidiaAssembler
{
    private static readonly string? Assembler = Find("ptxas");
    private static readonly string? Disassembler = Find("nvdisasm");

    /// <summary>Gets whether there is an assembler.</summary>
    public static bool CanAssemble => Assembler is not null;

    /// <summary>Gets whether there are an assembler and a disassembler.</summary>
    public static bool CanDisassemble => CanAssemble && Disassembler is not null;

    /// <summary>Assembles a kernel for an architecture such as "sm_90".</summary>
    /// <exception cref="InvalidOperationException">The assembler refuses the kernel; the message is its own.</exception>
    public static AssembledKernel Assemble(string ptx, string architecture) =>
        InFolder(code => Assemble(ptx, architecture, code));

    /// <summary>The machine code of a kernel for an architecture, and what the assembler says of it.</summary>
    /// <exception cref="InvalidOperationException">The assembler refuses the kernel; the message is its own.</exception>
    public static (AssembledKernel Kernel, SassListing Code) Disassemble(string ptx, string architecture) =>
        InFolder(code =>
        {
            var kernel = Assemble(ptx, architecture, code);
            return (kernel, new SassListing(Run(Disassembler, "-c", code)));
        });

    private static AssembledKernel Assemble(string ptx, string architecture, string code)
    {
        string source = Path.ChangeExtension(code, ".ptx");

        // The code needs nothing newer, and assemblers refuse versions that they do not know.
        File.WriteAllText(source, Version().Replace(ptx, ".version 7.8", 1));
        string report = Run(Assembler, "-v", $"-arch={architecture}", source, "-o", code);
        return new AssembledKernel(
            Number(Registers(), report),
            Number(StackFrame(), report) + Number(Spills(), report),
            Number(Shared(), report));
    }

    private static TResult InFolder<TResult>(Func<string, TResult> use)
    {
        string folder = Directory.CreateTempSubdirectory("sapagpu-").FullName;
        try
        {
            return use(Path.Combine(folder, "kernel.cubin"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Run(string? program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(
            program ?? throw new InvalidOperationException("There is no ptxas or no nvdisasm on the path."), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output + errors.Result : throw new InvalidOperationException(errors.Result);
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

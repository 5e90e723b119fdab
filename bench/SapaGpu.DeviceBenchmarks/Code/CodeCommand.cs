using System.CommandLine;
using System.Globalization;
using ILGPU.Runtime.Cuda;
using SapaGpu.Cli;

namespace SapaGpu.DeviceBenchmarks.Code;

/// <summary><c>code</c>: what a driver is given for each kernel, without a device.</summary>
internal static class CodeCommand
{
    private const string IndexName = "index.tsv";

    private static readonly (string Name, Func<KernelInstantiation, object> Value)[] Columns =
    [
        ("file", kernel => FileName(kernel)),
        ("kernel", kernel => kernel.Operator),
        ("element type", kernel => kernel.ElementType),
        ("window", kernel => kernel.Window > 0 ? kernel.Window : "-"),
        ("ratio", kernel => kernel.Ratio),
        ("format", kernel => kernel.Format),
        ("pass", kernel => kernel.Pass),
        ("border", kernel => kernel.Border),
        ("normalisation", kernel => kernel.Normalisation),
        ("threads", kernel => kernel.GroupSize),
    ];

    public static Command Create()
    {
        var output = new Option<DirectoryInfo>("--output") { Description = "Where the files go.", Required = true };
        var all = All();
        var only = Only();
        var command = new Command(
            "code", $"Write the PTX of every kernel as NAME.ptx, and what each is as {IndexName}.")
        {
            output, all, only,
        };
        command.SetAction(result =>
        {
            int count = Write(
                result.GetRequiredValue(output).FullName, Chosen(result.GetValue(all), result.GetRequiredValue(only)));
            Console.WriteLine(
                FormattableString.Invariant($"{count} kernels in {result.GetRequiredValue(output).FullName}"));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>The option for the general kernels.</summary>
    internal static Option<bool> All() => new("--all")
    {
        Description = "The general kernels as well, not only those of the common case.",
    };

    /// <summary>The option that names kernels.</summary>
    internal static Option<string> Only() => new("--only")
    {
        Description = "Only kernels whose file name contains this, such as CellPairAttentionForward-Float32.",
        DefaultValueFactory = _ => string.Empty,
    };

    /// <summary>The kernels that CUDA devices run, of the common case or all, whose name contains a text.</summary>
    internal static IEnumerable<KernelInstantiation> Chosen(bool all, string only) =>
        (all ? KernelCatalogue.All : KernelCatalogue.Fast).Where(kernel =>
            !kernel.HasNativeCounterpart && FileName(kernel).Contains(only, StringComparison.OrdinalIgnoreCase));

    /// <summary>Writes kernels and their index; returns their number.</summary>
    internal static int Write(string folder, IEnumerable<KernelInstantiation> kernels)
    {
        Directory.CreateDirectory(folder);

        // ILGPU generates the same code for every later architecture.
        var texts = KernelCompiler.CompileAll(
            kernels, () => KernelCompiler.ForPtx(CudaArchitecture.SM_80), text => text);
        foreach (var (kernel, text) in texts)
            File.WriteAllText(Path.Combine(folder, FileName(kernel)), text);
        File.WriteAllLines(
            Path.Combine(folder, IndexName),
            texts.Keys
                .Select(kernel => Columns.Select(
                    column => Convert.ToString(column.Value(kernel), CultureInfo.InvariantCulture)))
                .Prepend(Columns.Select(column => column.Name))
                .Select(row => string.Join('\t', row)));
        return texts.Count;
    }

    private static string FileName(KernelInstantiation kernel) => $"{kernel.FileName}.ptx";
}

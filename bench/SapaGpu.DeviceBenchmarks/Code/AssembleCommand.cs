using System.CommandLine;
using System.Globalization;
using ILGPU.Runtime.Cuda;
using SapaGpu.Cli;

namespace SapaGpu.DeviceBenchmarks.Code;

/// <summary><c>assemble</c>: what NVIDIA's assembler makes of each kernel, without a device.</summary>
internal static class AssembleCommand
{
    private const string Architecture = "sm_90";

    private static readonly string[] Headings =
    [
        "kernel", "registers", "local bytes", "shared bytes", "warps of 64", "instructions", "largest loop: instructions",
        "multiply-adds",
    ];

    public static Command Create()
    {
        var all = CodeCommand.All();
        var only = CodeCommand.Only();
        var command = new Command(
            "assemble",
            $"Print what ptxas makes of every kernel for {Architecture}: registers, memory, and the innermost loop with the " +
            "most multiply-adds. Needs ptxas and nvdisasm on the path, and no GPU.")
        {
            all, only,
        };
        command.SetAction(result =>
        {
            if (!NvidiaAssembler.CanDisassemble)
                throw new ArgumentException("There is no ptxas or no nvdisasm on the path; the CUDA toolkit has both.");
            Print(CodeCommand.Chosen(result.GetValue(all), result.GetRequiredValue(only)));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Print(IEnumerable<KernelInstantiation> kernels)
    {
        var assembled = KernelCompiler.CompileAll(
            kernels,
            () => KernelCompiler.ForPtx(CudaArchitecture.SM_80),
            text => NvidiaAssembler.Disassemble(text, Architecture));
        MarkdownTable.Print(Headings, assembled.Select(pair => Row(pair.Key, pair.Value.Kernel, pair.Value.Code)));
    }

    private static IReadOnlyList<string> Row(KernelInstantiation instantiation, AssembledKernel kernel, SassListing code)
    {
        var largest = code.Loops.Where(loop => loop.IsInnermost).MaxBy(loop => loop.MultiplyAdds);
        int[] numbers =
        [
            kernel.Registers,
            kernel.LocalBytes,
            kernel.SharedBytes,
            kernel.ResidentWarps(instantiation.GroupSize),
            code.InstructionCount,
        ];
        return
        [
            instantiation.FileName,
            .. numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)),
            largest is null ? "-" : largest.Operations.Count.ToString(CultureInfo.InvariantCulture),
            largest is null ? "-" : $"{(100 * largest.Share).ToString("f0", CultureInfo.InvariantCulture)} %",
        ];
    }
}

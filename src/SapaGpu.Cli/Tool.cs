using System.CommandLine;
using SapaGpu.Cli.Commands;

namespace SapaGpu.Cli;

/// <summary>The command line of the tool.</summary>
internal static class Tool
{
    /// <summary>The name that the tool is installed under.</summary>
    public const string Name = "sapagpu";

    /// <summary>Runs a command line. Whatever happens, the run ends with an exit code and at most one line of error.</summary>
    public static int Run(string[] arguments)
    {
        var (output, error) = (Console.Out, Console.Error);
        Console.SetOut(StandardStream.Output(output));
        Console.SetError(StandardStream.Error(error));
        AppDomain.CurrentDomain.UnhandledException += EndProcess;
        try
        {
            // A name that begins with @ is one, too, and no file of further arguments.
            var parsed = Create().Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Errors.Count == 0)
                return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
            Terminal.WriteError($"{string.Join(' ', parsed.Errors.Select(error => OneLine(error.Message)))} Try --help.");
            return ExitCode.Usage;
        }
        catch (Exception e)
        {
            Terminal.WriteError(ErrorText.Of(e));
            return ExitCode.Of(e);
        }
        finally
        {
            AppDomain.CurrentDomain.UnhandledException -= EndProcess;
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    /// <summary>Makes the command with all that belong to it.</summary>
    public static RootCommand Create()
    {
        var root = new RootCommand(
            "Guided upsampling by window attention (SAPA) on CUDA, OpenCL and the CPU. " +
            $"Exit codes: {string.Join(", ", ExitCode.Meanings.Select(pair => $"{pair.Code} {pair.Meaning}"))}.")
        {
            InfoCommand.Create(),
            VerifyCommand.Create(),
            UpsampleCommand.Create(),
            ExportCommand.Create(),
            BenchCommand.Create(),
            CompletionCommand.Create(),
        };
        root.Subcommands.Add(ManCommand.Create(root));
        return root;
    }

    /// <summary>The parser lists what is allowed in lines of their own.</summary>
    private static string OneLine(string message) =>
        string.Join(' ', message.Split(["\r\n", "\n\t", "\n"], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Ends the process as a failed run does, where a thread of its own failed.</summary>
    private static void EndProcess(object? sender, UnhandledExceptionEventArgs e)
    {
        if (e.ExceptionObject is Exception exception)
            Terminal.WriteError(ErrorText.Of(exception));
        Environment.Exit(ExitCode.Failure);
    }
}

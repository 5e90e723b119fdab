using System.CommandLine;
using SapaGpu.Cli.Commands;

namespace SapaGpu.Cli;

/// <summary>The command line of the tool.</summary>
internal static class Tool
{
    /// <summary>The name that the tool is installed under.</summary>
    public const string Name = "sapagpu";

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
            BenchCommand.Create(),
            CompletionCommand.Create(),
        };
        root.Subcommands.Add(ManCommand.Create(root));
        return root;
    }
}

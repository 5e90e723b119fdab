using System.CommandLine;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu man</c>: prints the manual page, which is made of the help.</summary>
internal static class ManCommand
{
    public static Command Create(RootCommand root)
    {
        var command = new Command(
            "man", "Print the manual page in roff: sapagpu man > sapagpu.1, then man ./sapagpu.1 shows it.");
        command.SetAction(_ =>
        {
            Console.Out.Write(ManPage.Write(root));
            return ExitCode.Success;
        });
        return command;
    }
}

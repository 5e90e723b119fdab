using System.CommandLine;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu completion</c>: prints a script that completes commands, options and their values in a shell.</summary>
internal static class CompletionCommand
{
    // The tool completes by itself: its parser answers the directive [suggest:POSITION] with a line for each suggestion.
    private const string Bash = """
        _sapagpu() {
            local IFS=$'\n'
            local word="${COMP_LINE:0:COMP_POINT}"
            word="${word##*[[:space:]]}"
            COMPREPLY=($(compgen -W "$(sapagpu "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$word"))
        }
        complete -o default -F _sapagpu sapagpu
        """;

    private const string Zsh = """
        (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
        _sapagpu() {
            local -a suggestions
            suggestions=("${(@f)$(sapagpu "[suggest:${#LBUFFER}]" "$LBUFFER" 2>/dev/null)}")
            compadd -- "${suggestions[@]:#}" || _files
        }
        compdef _sapagpu sapagpu
        """;

    private const string Fish = """
        function __sapagpu_suggest
            set -l line (commandline --cut-at-cursor)
            sapagpu "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete --command sapagpu --arguments '(__sapagpu_suggest)'
        """;

    private static readonly Dictionary<string, string> Scripts = new() { ["bash"] = Bash, ["fish"] = Fish, ["zsh"] = Zsh };

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "The shell: bash, fish or zsh." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        var command = new Command(
            "completion",
            "Print a script that completes commands, options and their values; in ~/.bashrc: " +
            "source <(sapagpu completion bash)")
        {
            shell,
        };
        command.SetAction(result =>
        {
            Console.Out.WriteLine(Scripts[result.GetRequiredValue(shell)].ReplaceLineEndings("\n"));
            return ExitCode.Success;
        });
        return command;
    }
}

using System.ComponentModel;
using System.Diagnostics;
using NUnit.Framework;
using SapaGpu.Cli;

namespace SapaGpu.Tests.Guided;

/// <summary>The manual page and the completion of shells, which are made of the commands and their options.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class ToolHelpTests
{
    [Test]
    public void The_manual_page_has_every_command_and_option()
    {
        var run = ToolRun.Of("man");
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));
        Assert.That(run.Output, Does.StartWith(".TH SAPAGPU 1 "));
        string page = run.Output.Replace("\\-", "-");
        foreach (var command in Tool.Create().Subcommands)
        {
            int start = page.IndexOf($".SH \"SAPAGPU {command.Name.ToUpperInvariant()}\"", StringComparison.Ordinal);
            Assert.That(start, Is.Positive, command.Name);
            string section = page[start..page.IndexOf(".SH ", start + 1, StringComparison.Ordinal)];
            foreach (var option in command.Options)
            {
                Assert.That(section, Does.Contain($"\\fB{option.Name}\\fR"), command.Name);
                Assert.That(section, Does.Contain(option.Description!.Split('\n')[0]), option.Name);
                foreach (string alias in option.Aliases)
                    Assert.That(section, Does.Contain($"\\fB{alias}\\fR"), option.Name);
            }
        }
        Assert.That(page, Does.Contain("\\fImask|labels|depth").Or.Contain("\\fIdepth|features|image"));
        var lines = page.Split('\n').Where(line => line.StartsWith('.'));
        Assert.That(lines, Has.All.Match("^\\.(TH|SH|TP|B|I|br)( |$)"));
    }

    [Test]
    public void Shells_complete_by_their_scripts([Values("bash", "fish", "zsh")] string shell)
    {
        // fish offers files as well.
        Assert.That(Complete(shell, "sapagpu ups"), Is.EqualTo(new[] { "upsample" }));
        Assert.That(Complete(shell, "sapagpu upsample --le"), Is.EqualTo(new[] { "--letterbox" }));
        Assert.That(Complete(shell, "sapagpu upsample --kind l"), Is.SupersetOf(new[] { "labels", "logits" }));
        Assert.That(Complete(shell, "sapagpu completion "), Is.SupersetOf(new[] { "bash", "fish", "zsh" }));
        Assert.That(Complete(shell, "sapagpu upsample -i photos/a"), Is.Empty);
    }

    private static string[] Complete(string shell, string line)
    {
        // The tool under its name, and what the shell sets before it calls a completion and does after it.
        string call = shell switch
        {
            "bash" => $$"""
                COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
                _sapagpu
                printf '%s\n' "${COMPREPLY[@]}"
                """,
            "fish" => $"complete --do-complete '{line}'",
            _ => $"LBUFFER='{line}'\n_sapagpu",
        };
        string given = shell switch
        {
            "bash" => string.Empty,
            "fish" => "function sapagpu; dotnet \"$tool\" $argv; end",
            _ => """
                compdef() {}
                _files() {}
                compadd() {
                    local candidate
                    for candidate in "${@[2,-1]}"; do
                        [[ $candidate == "${LBUFFER##* }"* ]] && print -r -- "$candidate"
                    done
                }
                """,
        };
        string function = shell == "fish" ? string.Empty : "sapagpu() { dotnet \"$tool\" \"$@\"; }";
        string script = string.Join('\n', given, function, ToolRun.Of("completion", shell).Output, call);
        var start = new ProcessStartInfo(shell, shell == "zsh" ? ["-f", "-c", script] : ["-c", script])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["tool"] = typeof(ExitCode).Assembly.Location;
        try
        {
            using var process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(text => text.Split('\t')[0])];
        }
        catch (Win32Exception)
        {
            Assert.Ignore($"There is no {shell}.");
            throw;
        }
    }
}

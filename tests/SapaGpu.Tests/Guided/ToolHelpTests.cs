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
    public void Bash_completes_by_the_script()
    {
        if (!File.Exists("/bin/bash"))
            Assert.Ignore("There is no bash.");
        Assert.That(Complete("sapagpu ups"), Is.EqualTo(new[] { "upsample" }));
        Assert.That(Complete("sapagpu upsample --le"), Is.EqualTo(new[] { "--letterbox" }));
        Assert.That(Complete("sapagpu upsample --kind l"), Is.EqualTo(new[] { "labels", "logits" }));
        Assert.That(Complete("sapagpu completion "), Does.Contain("bash").And.Contain("zsh"));
        Assert.That(Complete("sapagpu upsample -i photos/a"), Is.Empty);
    }

    private static string[] Complete(string line)
    {
        // The tool under its name, and the variables that bash sets before it calls a completion.
        string tool = typeof(ExitCode).Assembly.Location;
        string script = $$"""
            sapagpu() { dotnet "{{tool}}" "$@"; }
            {{ToolRun.Of("completion", "bash").Output}}
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            _sapagpu
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        using var bash = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", script]) { RedirectStandardOutput = true })!;
        string output = bash.StandardOutput.ReadToEnd();
        bash.WaitForExit();
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}

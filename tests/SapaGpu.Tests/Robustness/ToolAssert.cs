using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Tests.Guided;

namespace SapaGpu.Tests.Robustness;

/// <summary>What holds for every run of the tool, whatever it was given.</summary>
internal static class ToolAssert
{
    private const string WarningStart = "Warning: ";

    /// <summary>Checks that a run ended as documented: an exit code of the tool, and one line if it failed.</summary>
    public static void EndsProperly(ToolRun run, string what)
    {
        Assert.That(ExitCode.Meanings.Select(pair => pair.Code), Does.Contain(run.ExitCode), what);
        var errors = Lines(run.Errors).Where(line => !line.StartsWith(WarningStart, StringComparison.Ordinal)).ToList();
        Assert.That(errors, Has.Count.EqualTo(run.ExitCode == ExitCode.Success ? 0 : 1), what + run.Errors);
        IsPlain(run, what);
        foreach (string sign in (string[])["   at ", "Unhandled", "NullReference", "IndexOutOfRange", "InvalidCast", "InvalidOperation"])
            Assert.That(run.Errors, Does.Not.Contain(sign), what);
    }

    /// <summary>Checks that nothing was printed which a terminal would obey, except the ends of lines.</summary>
    public static void IsPlain(ToolRun run, string what) => Assert.That(
        (run.Output + run.Errors).Where(character => char.IsControl(character) && character != '\n'), Is.Empty, what);

    /// <summary>The lines of a text.</summary>
    public static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

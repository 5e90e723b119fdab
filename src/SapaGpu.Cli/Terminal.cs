using Spectre.Console;

namespace SapaGpu.Cli;

/// <summary>What the tool prints for people: lines and tables without anything that a terminal would obey.</summary>
internal static class Terminal
{
    private const int LongestLine = 4000;

    /// <summary>Whether a progress bar would be seen.</summary>
    public static bool CanShowProgress => !Console.IsErrorRedirected;

    /// <summary>Writes one line to standard error.</summary>
    public static void WriteError(string line)
    {
        string visible = VisibleText.Of(line);
        Console.Error.WriteLine(visible.Length > LongestLine ? $"{visible.AsSpan(0, LongestLine)}…" : visible);
    }

    /// <summary>Writes one line.</summary>
    public static void WriteLine(TextWriter writer, string line) => writer.WriteLine(VisibleText.Of(line));

    /// <summary>Text for a cell of a table.</summary>
    public static string Cell(string text) => Markup.Escape(VisibleText.Of(text));

    /// <summary>A console for tables.</summary>
    public static IAnsiConsole Tables(TextWriter writer) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });

    /// <summary>Shows one progress bar on standard error while something runs, unless nobody would see it.</summary>
    /// <param name="maximum">The value at the end.</param>
    /// <param name="isWanted">Whether to show it where it would be seen.</param>
    /// <param name="run">What runs; it says what it does and the value that it has reached, NaN for none that is known.</param>
    public static void ShowProgress(double maximum, bool isWanted, Action<Action<string, double>> run)
    {
        if (!isWanted || !CanShowProgress)
        {
            run((_, _) => { });
            return;
        }
        Tables(Console.Error).Progress().AutoClear(true).Start(context =>
        {
            var task = context.AddTask("0", maxValue: maximum);
            run((description, value) =>
            {
                task.Description = Cell(description);
                task.IsIndeterminate = double.IsNaN(value);
                if (!task.IsIndeterminate)
                    task.Value = value;
            });
        });
    }
}

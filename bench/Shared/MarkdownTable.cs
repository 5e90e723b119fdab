using System.Globalization;

namespace SapaGpu.Shared;

/// <summary>Writes tables in Markdown.</summary>
internal static class MarkdownTable
{
    /// <summary>A number with three digits.</summary>
    public static string Number(double value) => Math.Abs(value) >= 100
        ? value.ToString("f0", CultureInfo.InvariantCulture)
        : value.ToString("g3", CultureInfo.InvariantCulture);

    /// <summary>Writes a table to the standard output.</summary>
    public static void Print(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows) =>
        Write(Console.Out, headings, rows);

    /// <summary>Writes a table and an empty line.</summary>
    public static void Write(
        TextWriter writer, IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        Write(writer, headings);
        Write(writer, [.. headings.Select(_ => "---")]);
        foreach (var row in rows)
            Write(writer, row);
        writer.WriteLine();
    }

    private static void Write(TextWriter writer, IReadOnlyList<string> cells) =>
        writer.WriteLine($"| {string.Join(" | ", cells)} |");
}

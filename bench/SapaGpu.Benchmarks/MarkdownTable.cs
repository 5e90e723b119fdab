using System.Globalization;

namespace SapaGpu.Benchmarks;

/// <summary>Prints tables in Markdown.</summary>
internal static class MarkdownTable
{
    /// <summary>A number with three digits.</summary>
    public static string Number(double value) => Math.Abs(value) >= 100
        ? value.ToString("f0", CultureInfo.InvariantCulture)
        : value.ToString("g3", CultureInfo.InvariantCulture);

    public static void Print(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        Print(headings);
        Print([.. headings.Select(_ => "---")]);
        foreach (var row in rows)
            Print(row);
        Console.WriteLine();
    }

    private static void Print(IReadOnlyList<string> cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");
}

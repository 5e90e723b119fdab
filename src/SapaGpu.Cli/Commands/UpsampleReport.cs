using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Guided.Batch;
using SapaGpu.Cli.Guided.Quality;
using Spectre.Console;

namespace SapaGpu.Cli.Commands;

/// <summary>What was done, as text or as one JSON object.</summary>
internal sealed class UpsampleReport
{
    private static readonly JsonSerializerOptions JsonFormat = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        WriteIndented = true,
    };

    /// <summary>The device; null where none was needed.</summary>
    public string? Device { get; set; }

    /// <summary>How long everything took.</summary>
    public double Seconds { get; set; }

    /// <summary>The maps that were upsampled.</summary>
    public List<UpsampleResult> Results { get; } = [];

    /// <summary>The results that were there already.</summary>
    public List<string> Skipped { get; } = [];

    /// <summary>The maps that were not upsampled.</summary>
    public List<UpsampleFailure> Failures { get; } = [];

    /// <summary>The figures of quality of every result.</summary>
    [JsonIgnore]
    public List<IReadOnlyList<QualityFigure>> Figures { get; } = [];

    /// <summary>The summary of a single map.</summary>
    [JsonIgnore]
    public string? Summary { get; set; }

    /// <summary>The report as one JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, JsonFormat);

    /// <summary>Prints the report, with means of the figures over all maps.</summary>
    public void Print(TextWriter writer, bool isMany)
    {
        if (isMany)
        {
            string skipped = Skipped.Count > 0 ? $", {Skipped.Count} skipped" : string.Empty;
            string failed = Failures.Count > 0 ? $", {Failures.Count} failed" : string.Empty;
            string kinds = string.Join(" and ", Results.Select(result => result.Kind).Distinct());
            string noun = Results.Count == 1 ? "map" : "maps";
            string what = Results.Count == 0 ? noun : $"{noun} ({kinds})";
            string device = Device is null ? string.Empty : $" on {Device}";
            Terminal.WriteLine(writer, string.Create(
                CultureInfo.InvariantCulture,
                $"{Results.Count} {what} upsampled{skipped}{failed}, {Seconds:f1} s{device}"));
        }
        else if (Summary is not null || Skipped.Count > 0)
        {
            Terminal.WriteLine(writer, Summary ?? $"{Skipped[0]}: skipped, for it is there");
        }
        var groups = Enumerable.Range(0, Results.Count)
            .Where(i => Figures[i].Count > 0)
            .GroupBy(i => string.Join('|', Figures[i].Select(figure => figure.Name)));
        foreach (var group in groups)
            Print(writer, [.. group], isMany);
    }

    private void Print(TextWriter writer, List<int> members, bool isMany)
    {
        var figures = Figures[members[0]];
        var table = new Table().AddColumn(isMany ? $"Mean of {members.Count}" : "Method");
        foreach (var figure in figures)
            table.AddColumn(new TableColumn(Terminal.Cell(figure.Name)).RightAligned());
        foreach (string method in Results[members[0]].Scores!.Keys)
        {
            table.AddRow(
            [
                MethodTitle(method),
                .. figures.Select(figure => figure.Write(members.Average(i => Results[i].Scores![method][figure.Name]))),
            ]);
        }
        Terminal.Tables(writer).Write(table);
    }

    private static string MethodTitle(string name) =>
        Enum.GetValues<UpsampleMethod>().First(method => UpsampleOptions.NameOf(method) == name).Title();
}

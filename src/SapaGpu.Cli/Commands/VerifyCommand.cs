using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SapaGpu.Workloads.Vectors;
using Spectre.Console;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu verify</c>: runs test vectors, forward and gradients, and compares the results.</summary>
internal static class VerifyCommand
{
    private static readonly JsonSerializerOptions JsonFormat = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        WriteIndented = true,
    };

    public static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("dir")
        {
            Description = "A folder of test vectors: index.json and one folder per case.",
        };
        var device = CommonOptions.Device();
        var type = CommonOptions.ElementType();
        var json = CommonOptions.Json();
        var command = new Command(
            "verify",
            "Run test vectors, forward and gradients in both memory formats, and compare with expected results.")
        {
            folder, device, type, json,
        };
        command.SetAction(result =>
        {
            var cases = VectorCase.ReadAll(result.GetRequiredValue(folder).FullName);
            var elementType = CommonOptions.Parse(result.GetValue(type)!);
            using var opened = CommonOptions.Open(result.GetValue(device));
            bool asJson = result.GetValue(json);
            var report = new Report(opened.Id, elementType.ShortName(), Run(cases, opened, elementType, !asJson));
            if (asJson)
                Console.Out.WriteLine(JsonSerializer.Serialize(report, JsonFormat));
            else
                Print(report, opened);
            return report.Failed == 0 ? ExitCode.Success : ExitCode.Failure;
        });
        return command;
    }

    private static List<CaseResult> Run(
        IReadOnlyList<VectorCase> cases, ComputeDevice device, ElementType elementType, bool showProgress)
    {
        var results = new List<CaseResult>(cases.Count);
        Terminal.ShowProgress(cases.Count, showProgress, advance =>
        {
            foreach (var vector in cases)
            {
                advance(vector.Name, results.Count);
                results.Add(VectorSuite.Run(vector, device, elementType));
            }
        });
        return results;
    }

    private static void Print(Report report, ComputeDevice device)
    {
        var table = new Table().AddColumns("Case", "Result", "Worst error", "Bound", "Where");
        foreach (var result in report.Cases)
        {
            string colour = result.Status switch
            {
                CaseStatus.Passed => "green",
                CaseStatus.Failed => "red",
                _ => "grey",
            };
            var worst = result.Worst;
            table.AddRow(
                Terminal.Cell(result.Name),
                $"[{colour}]{result.Status.ToString().ToLowerInvariant()}[/]",
                worst is null ? string.Empty : worst.Error.ToString("0.0e+00", CultureInfo.InvariantCulture),
                worst is null ? string.Empty : worst.Bound.ToString("0.0e+00", CultureInfo.InvariantCulture),
                Terminal.Cell(result.Reason ?? $"{worst?.Tensor}[{string.Join(", ", worst?.Index ?? [])}]"));
        }
        Terminal.Tables(Console.Out).Write(table);
        Terminal.WriteLine(
            Console.Out,
            $"{device}, {report.Dtype}: {report.Passed} passed, {report.Failed} failed, {report.Skipped} skipped");
    }

    private sealed record Report(string Device, string Dtype, IReadOnlyList<CaseResult> Cases)
    {
        public int Passed => Cases.Count(result => result.Status == CaseStatus.Passed);

        public int Failed => Cases.Count(result => result.Status == CaseStatus.Failed);

        public int Skipped => Cases.Count(result => result.Status == CaseStatus.Skipped);
    }
}

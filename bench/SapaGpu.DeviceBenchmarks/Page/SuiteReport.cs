using System.Globalization;
using System.Text.Json;

namespace SapaGpu.DeviceBenchmarks.Page;

/// <summary>
/// What the benchmark suite writes, a full report of BenchmarkDotNet for each class: methods whose names begin with Torch are the
/// peers of those without.
/// </summary>
internal static class SuiteReport
{
    private const string PeerPrefix = "Torch";
    private const double NanosecondsPerMillisecond = 1e6;

    /// <summary>Whether a file is such a report.</summary>
    public static bool Is(JsonElement root) => root.TryGetProperty("HostEnvironmentInfo", out _);

    /// <summary>Gets the name of the processor and how many threads it runs.</summary>
    public static string Device(JsonElement root)
    {
        var host = root.GetProperty("HostEnvironmentInfo");
        return $"{host.GetProperty("ProcessorName").GetString()}, {host.GetProperty("LogicalCoreCount").GetInt32()} threads";
    }

    /// <summary>Gets the day from the title, whose end is 20261127-120000.</summary>
    /// <exception cref="InvalidDataException">The title has no such end.</exception>
    public static string Date(JsonElement root)
    {
        const int Day = 8, Time = 7;
        string title = root.GetProperty("Title").GetString()!;
        return title.Length > Day + Time
            && DateOnly.TryParseExact(title[^(Day + Time)..^Time], "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
            : throw new InvalidDataException($"The title '{title}' of a report does not end in a date and a time.");
    }

    /// <summary>Gets the rows; what failed has none.</summary>
    public static IReadOnlyList<BenchmarkRow> Rows(JsonElement root)
    {
        var medians = new OrderedDictionary<(string Parameters, string Method), double>();
        foreach (var benchmark in root.GetProperty("Benchmarks").EnumerateArray())
        {
            if (benchmark.TryGetProperty("Statistics", out var statistics) && statistics.ValueKind == JsonValueKind.Object)
            {
                medians[(benchmark.GetProperty("Parameters").GetString()!, benchmark.GetProperty("Method").GetString()!)] =
                    statistics.GetProperty("Median").GetDouble() / NanosecondsPerMillisecond;
            }
        }
        return
        [
            .. medians.Where(own => own.Key.Parameters.Contains("Workload=", StringComparison.Ordinal)
                && !own.Key.Method.StartsWith(PeerPrefix, StringComparison.Ordinal))
                .Select(own => Row(
                    Values(own.Key.Parameters),
                    own.Key.Method,
                    own.Value,
                    medians.TryGetValue((own.Key.Parameters, PeerPrefix + own.Key.Method), out double peer) ? peer : null)),
        ];
    }

    private static BenchmarkRow Row(
        Dictionary<string, string> values, string method, double median, double? peer) => new(
        values["Operation"], values["Workload"], method, values["Type"], values["Format"], median, peer);

    private static Dictionary<string, string> Values(string parameters) => parameters
        .Split(['&', ','], StringSplitOptions.TrimEntries)
        .Select(text => text.Split('=', 2))
        .ToDictionary(pair => pair[0], pair => pair[1]);
}

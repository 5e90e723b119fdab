using System.Text.Json;
using System.Text.Json.Serialization;

namespace SapaGpu.Workloads;

/// <summary>How measurements are written as JSON.</summary>
internal static class BenchmarkJson
{
    /// <summary>Gets the format: indented, names as in JavaScript, values of enumerations in snake case.</summary>
    public static JsonSerializerOptions Format { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        WriteIndented = true,
    };

    /// <summary>The name of an operator, a pass or a format.</summary>
    public static string Name<TValue>(TValue value)
        where TValue : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}

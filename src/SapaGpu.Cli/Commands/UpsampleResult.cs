using System.Text.Json.Serialization;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Guided.Models;

namespace SapaGpu.Cli.Commands;

/// <summary>What was done with one map, for JSON.</summary>
internal sealed record UpsampleResult
{
    public required string Input { get; init; }

    public required string Guide { get; init; }

    public required string Output { get; init; }

    public required string? Truth { get; init; }

    public required string? Figure { get; init; }

    public required string Kind { get; init; }

    public required string Method { get; init; }

    /// <summary>The kernel, where the method has one.</summary>
    public required KernelSettings? Kernel { get; init; }

    /// <summary>The trained model, in place of a method; null without one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ModelSettings? Model { get; init; }

    public required string InputSize { get; init; }

    public required string OutputSize { get; init; }

    public required int Channels { get; init; }

    public required JobTimes Seconds { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The figures of quality by method and name; null without a truth.</summary>
    public required IReadOnlyDictionary<string, Dictionary<string, double>>? Scores { get; init; }

    public static UpsampleResult Of(UpsampleRequest request, UpsampleJob job, IReadOnlyList<MethodResult> results) => new()
    {
        Input = request.Input,
        Guide = request.Guide,
        Output = request.Output,
        Truth = request.Truth,
        Figure = request.Figure,
        Kind = job.Kind.ToString().ToLowerInvariant(),
        Method = UpsampleOptions.NameOf(request.Method),
        Kernel = request.Method == UpsampleMethod.Sapa ? job.Settings : null,
        InputSize = job.InputSize,
        OutputSize = job.OutputSize,
        Channels = job.Channels,
        Seconds = job.Times,
        Warnings = job.Warnings,
        Scores = job.Figures.Count == 0 ? null : results.ToDictionary(
            result => UpsampleOptions.NameOf(result.Method),
            result => job.Figures.Zip(result.Quality).ToDictionary(pair => pair.First.Name, pair => pair.Second)),
    };

    public static UpsampleResult Of(UpsampleRequest request, ModelJob job) => new()
    {
        Input = request.Input,
        Guide = request.Guide,
        Output = request.Output,
        Truth = null,
        Figure = request.Figure,
        Kind = MapKind.Features.ToString().ToLowerInvariant(),
        Method = job.Model.Kind.Name(),
        Kernel = null,
        Model = job.Model.Settings,
        InputSize = job.InputSize,
        OutputSize = job.OutputSize,
        Channels = job.Channels,
        Seconds = job.Times,
        Warnings = job.Warnings,
        Scores = null,
    };
}

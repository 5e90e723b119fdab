using System.Text.Json;
using System.Text.Json.Serialization;

namespace SapaGpu.Segmentation;

/// <summary>
/// The files of a run under the output folder: its settings, the state after its last epoch while it goes on, and the
/// weights and the result when it has ended.
/// </summary>
internal sealed class RunFolder(string output, RunKey key)
{
    private const string ResultName = "result.json";

    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    private readonly string folder = Path.Combine(output, key.Group, $"{key.Operator.Id()}-seed{key.Seed}");

    /// <summary>Gets the file of the state after the last epoch that ended.</summary>
    public string Checkpoint => Path.Combine(folder, "checkpoint.bin");

    /// <summary>Gets the file of the weights after the last epoch of all.</summary>
    public string Weights => Path.Combine(folder, "weights.bin");

    private string Settings => Path.Combine(folder, "settings.json");

    /// <summary>All finished runs under an output folder.</summary>
    /// <exception cref="InvalidDataException">A result cannot be read.</exception>
    public static IReadOnlyList<RunResult> Results(string output) => Directory.Exists(output)
        ? [.. Directory.EnumerateFiles(output, ResultName, SearchOption.AllDirectories)
            .Select(Read<RunResult>)
            .OrderBy(result => result.Key.Group, StringComparer.Ordinal)
            .ThenBy(result => result.Key.Operator)
            .ThenBy(result => result.Key.Seed)]
        : [];

    /// <summary>Stores the settings of a run that begins, or compares those of one that goes on.</summary>
    /// <exception cref="ArgumentException">The run was begun with other settings.</exception>
    public void Claim(TrainingSettings settings)
    {
        if (!File.Exists(Settings))
        {
            Write(Settings, settings);
            return;
        }
        var differences = settings.DifferencesFrom(Read<TrainingSettings>(Settings));
        if (differences.Count > 0)
        {
            throw new ArgumentException(
                $"The run {key} in {folder} cannot go on with {string.Join(", ", differences)}. " +
                "Keep its settings, choose another --output, or delete its folder.");
        }
    }

    /// <summary>The result, if the run has ended.</summary>
    public RunResult? FindResult()
    {
        string path = Path.Combine(folder, ResultName);
        return File.Exists(path) ? Read<RunResult>(path) : null;
    }

    /// <summary>Stores the result; what was needed to go on is not needed any more.</summary>
    public void Finish(RunResult result)
    {
        Write(Path.Combine(folder, ResultName), result);
        File.Delete(Checkpoint);
    }

    private static T Read<T>(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), JsonOptions)!;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    private static void Write<T>(string path, T value) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, value, JsonOptions));
}

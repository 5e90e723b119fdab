using System.Text.Json;
using System.Text.Json.Serialization;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Workloads.Vectors;

/// <summary>A test case on disk: an operator with its parameters, inputs, expected outputs and gradients.</summary>
internal sealed class VectorCase
{
    private const string Format = "sapagpu-vectors-1";
    private readonly string folder;

    private VectorCase(string folder, CaseFile file)
    {
        this.folder = folder;
        Name = file.Name;
        Op = file.Op;
        Parameters = file.Params;
        Tensors = file.Tensors;
        Checkpoints = file.Checkpoints ?? [];
    }

    public string Name { get; }

    public string Op { get; }

    public IReadOnlyDictionary<string, JsonElement> Parameters { get; }

    public IReadOnlyList<VectorTensor> Tensors { get; }

    /// <summary>Gets the files that hold the parameters of the case as checkpoints.</summary>
    public IReadOnlyList<VectorCheckpoint> Checkpoints { get; }

    /// <summary>Reads the cases that the index of a folder lists.</summary>
    /// <exception cref="InvalidDataException">The folder has no index, or a file is not of the format.</exception>
    public static IReadOnlyList<VectorCase> ReadAll(string folder)
    {
        string index = Path.Combine(folder, "index.json");
        if (!File.Exists(index))
            throw new InvalidDataException($"{folder}: there is no index.json; this is no folder of test vectors.");
        return [.. Parse<IndexFile>(index).Cases.Select(entry => Read(Path.Combine(folder, entry.Folder)))];
    }

    /// <summary>Reads one case.</summary>
    public static VectorCase Read(string folder)
    {
        string path = Path.Combine(folder, "case.json");
        var file = Parse<CaseFile>(path);
        return file.Format == Format
            ? new VectorCase(folder, file)
            : throw new InvalidDataException($"{path}: the format is '{file.Format}', not '{Format}'.");
    }

    public int Integer(string name) => Parameters.TryGetValue(name, out var value)
        ? value.GetInt32()
        : throw new InvalidDataException($"{folder}: the parameter '{name}' is missing.");

    public bool Flag(string name) => Parameters.TryGetValue(name, out var value) && value.GetBoolean();

    public double NumberOr(string name, double missing) =>
        Parameters.TryGetValue(name, out var value) ? value.GetDouble() : missing;

    public string? Text(string name) => Parameters.TryGetValue(name, out var value) ? value.GetString() : null;

    /// <summary>Finds a map; null where the case has none of that name.</summary>
    public VectorTensor? Find(string name) => Tensors.FirstOrDefault(tensor => tensor.Name == name);

    /// <summary>Reads the values of a map.</summary>
    public NpyArray Load(string name)
    {
        var tensor = Find(name) ?? throw new InvalidDataException($"{folder}: the tensor '{name}' is missing.");
        return NpyFile.Read(Path.Combine(folder, tensor.File));
    }

    /// <summary>The path of a checkpoint.</summary>
    public string PathOf(VectorCheckpoint checkpoint) => Path.Combine(folder, checkpoint.File);

    private static T Parse<T>(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<T>(stream, VectorJson.Options)
                ?? throw new InvalidDataException($"{path}: the file is empty.");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    private sealed record IndexFile(IReadOnlyList<IndexEntry> Cases);

    private sealed record IndexEntry(string Name, string Op, string Folder);

    private sealed record CaseFile(
        string Format,
        string Name,
        string Op,
        Dictionary<string, JsonElement> Params,
        IReadOnlyList<VectorTensor> Tensors,
        IReadOnlyList<VectorCheckpoint>? Checkpoints = null);
}

/// <summary>A map of a case.</summary>
internal sealed record VectorTensor(
    string Name,
    string File,
    string Role,
    IReadOnlyList<int> Shape,
    [property: JsonPropertyName("max_abs")] double MaxAbs,
    [property: JsonPropertyName("float32_error")] double Float32Error);

/// <summary>A file that holds the parameters of a case.</summary>
/// <param name="File">The name of the file.</param>
/// <param name="Format">pth-zip, pth-legacy or safetensors.</param>
/// <param name="Dtype">The type that the parameters were rounded to.</param>
internal sealed record VectorCheckpoint(string File, string Format, string Dtype);

/// <summary>How the vector files are written.</summary>
internal static class VectorJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = false,
        WriteIndented = true,
    };
}

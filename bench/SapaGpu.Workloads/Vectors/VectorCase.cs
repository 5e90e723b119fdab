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
        Tensors = [.. file.Tensors.OfType<VectorTensor>()];
        Checkpoints = [.. file.Checkpoints?.OfType<VectorCheckpoint>() ?? []];
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
        var entries = Parse<IndexFile>(index).Cases;
        return entries.Contains(null)
            ? throw new InvalidDataException($"{index}: a case is null.")
            : [.. entries.Select(entry => Read(Join(folder, entry!.Folder)))];
    }

    /// <summary>Reads one case.</summary>
    public static VectorCase Read(string folder)
    {
        string path = Path.Combine(folder, "case.json");
        var file = Parse<CaseFile>(path);
        if (file.Format != Format)
            throw new InvalidDataException($"{path}: the format is '{file.Format}', not '{Format}'.");
        return file.Tensors.Contains(null) || file.Checkpoints?.Contains(null) == true
            ? throw new InvalidDataException($"{path}: a tensor or a checkpoint is null.")
            : new VectorCase(folder, file);
    }

    public int Integer(string name) => Parameters.ContainsKey(name)
        ? Parameter(name, value => value.GetInt32(), missing: 0)
        : throw new InvalidDataException($"{folder}: the parameter '{name}' is missing.");

    public IReadOnlyList<int> Integers(string name) => Parameters.ContainsKey(name)
        ? Parameter<int[]>(name, value => [.. value.EnumerateArray().Select(item => item.GetInt32())], missing: [])
        : throw new InvalidDataException($"{folder}: the parameter '{name}' is missing.");

    public bool Flag(string name) => Parameter(name, value => value.GetBoolean(), missing: false);

    public double NumberOr(string name, double missing) => Parameter(name, value => value.GetDouble(), missing);

    public string? Text(string name) => Parameter(name, value => value.GetString(), missing: null);

    /// <summary>Finds a map; null where the case has none of that name.</summary>
    public VectorTensor? Find(string name) => Tensors.FirstOrDefault(tensor => tensor.Name == name);

    /// <summary>Reads the values of a map.</summary>
    /// <exception cref="InvalidDataException">There is none of that name, or its file is another than announced.</exception>
    public NpyArray Load(string name)
    {
        var tensor = Find(name) ?? throw new InvalidDataException($"{folder}: the tensor '{name}' is missing.");
        var array = NpyFile.Read(Join(folder, tensor.File));
        return array.Shape.SequenceEqual(tensor.Shape)
            ? array
            : throw new InvalidDataException(
                $"{folder}: the tensor '{name}' is announced as [{string.Join(", ", tensor.Shape)}], but {tensor.File} has " +
                $"{array.ShapeText}.");
    }

    /// <summary>The path of a checkpoint.</summary>
    public string PathOf(VectorCheckpoint checkpoint) => Join(folder, checkpoint.File);

    private static string Join(string folder, string name) => name.Contains('\0')
        ? throw new InvalidDataException($"{folder}: '{name}' is no name of a file.")
        : Path.Combine(folder, name);

    private T Parameter<T>(string name, Func<JsonElement, T> convert, T missing)
    {
        if (!Parameters.TryGetValue(name, out var value))
            return missing;
        try
        {
            return convert(value);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{folder}: the parameter '{name}' is {value.GetRawText()}, of another type.", e);
        }
    }

    private static T Parse<T>(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<T>(stream, VectorJson.Options)
                ?? throw new InvalidDataException($"{path}: the file is empty.");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private sealed record IndexFile(IReadOnlyList<IndexEntry?> Cases);

    private sealed record IndexEntry(string Name, string Op, string Folder);

    private sealed record CaseFile(
        string Format,
        string Name,
        string Op,
        Dictionary<string, JsonElement> Params,
        IReadOnlyList<VectorTensor?> Tensors,
        IReadOnlyList<VectorCheckpoint?>? Checkpoints = null);
}

/// <summary>A map of a case.</summary>
internal sealed record VectorTensor(
    string Name,
    string File,
    string Role,
    IReadOnlyList<int> Shape,
    [property: JsonPropertyName("max_abs")] double MaxAbs,
    [property: JsonPropertyName("float32_error")] double Float32Error = 0);

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
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
    };
}

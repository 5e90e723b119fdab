using System.Text.Json;
using System.Text.Json.Serialization;

namespace SapaGpu.Segmentation;

/// <summary>What <c>stats.json</c> tells of a data set that a network must know.</summary>
internal sealed record DatasetDescription
{
    private const string FileName = "stats.json";

    /// <summary>Gets the columns of every image.</summary>
    [JsonPropertyName("width")]
    public required int Width { get; init; }

    /// <summary>Gets the rows of every image.</summary>
    [JsonPropertyName("height")]
    public required int Height { get; init; }

    /// <summary>Gets the names of the classes by their index in label maps, that of void included.</summary>
    [JsonPropertyName("classes")]
    public required IReadOnlyList<string> AllClasses { get; init; }

    /// <summary>Gets the index of pixels that belong to no class; null if there are none.</summary>
    [JsonPropertyName("ignore_index")]
    public int? IgnoreIndex { get; init; }

    /// <summary>Gets the names of the classes that are learnt and scored.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Classes => IgnoreIndex is { } index ? [.. AllClasses.Take(index)] : AllClasses;

    /// <summary>Reads the description in a folder.</summary>
    /// <exception cref="IOException">There is none.</exception>
    /// <exception cref="InvalidDataException">It does not say what is needed, or what cannot be trained on.</exception>
    public static DatasetDescription Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new FileNotFoundException($"{folder} is no data set: it has no {FileName}.");
        DatasetDescription description;
        try
        {
            description = JsonSerializer.Deserialize<DatasetDescription>(File.ReadAllBytes(path))!;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
        description.Check(path);
        return description;
    }

    private void Check(string path)
    {
        const int stride = SegmentationNetwork.CoarsestStride;
        if (Width <= 0 || Height <= 0 || Width % stride != 0 || Height % stride != 0)
            throw new InvalidDataException($"{path}: images of {Width}x{Height}; sides must be multiples of {stride}.");
        if (AllClasses.Count is < 2 or > byte.MaxValue)
            throw new InvalidDataException($"{path}: {AllClasses.Count} classes; there must be 2 to {byte.MaxValue}.");
        if (IgnoreIndex is { } index && index != AllClasses.Count - 1)
            throw new InvalidDataException($"{path}: ignore_index is {index}; it must be that of the last class.");
    }
}

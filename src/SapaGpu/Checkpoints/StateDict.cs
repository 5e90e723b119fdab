using System.Collections;
using System.Diagnostics.CodeAnalysis;
using SapaGpu.Checkpoints;

namespace SapaGpu;

/// <summary>
/// The named tensors of a checkpoint, in the order of the file. Reads safetensors files and PyTorch checkpoints
/// (torch.save), and writes safetensors files. No code in a file is executed.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "PyTorch's name for it.")]
public sealed class StateDict : IReadOnlyDictionary<string, StateEntry>
{
    private readonly OrderedDictionary<string, StateEntry> entries = new(StringComparer.Ordinal);

    /// <summary>Gets the metadata of a safetensors file, the strings of its __metadata__.</summary>
    public IDictionary<string, string> Metadata { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <inheritdoc/>
    public IEnumerable<string> Keys => entries.Keys;

    /// <inheritdoc/>
    public IEnumerable<StateEntry> Values => entries.Values;

    /// <inheritdoc/>
    public int Count => entries.Count;

    /// <summary>Gets the entry with a name.</summary>
    /// <exception cref="KeyNotFoundException">There is no entry with this name.</exception>
    public StateEntry this[string key] => entries[key];

    /// <summary>
    /// Reads a safetensors file or a PyTorch checkpoint, in the zip or the legacy format, whatever the file extension.
    /// If the checkpoint is a dictionary with another one under "state_dict" or "model", that one is read. Values that
    /// are not tensors are skipped.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, is not a checkpoint, or refers to Python objects that a state_dict does not need.
    /// </exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static StateDict Load(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            return Load(stream);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>
    /// Reads a checkpoint from the position of a stream to its end, as <see cref="Load(string)"/> reads a file. A
    /// stream that cannot seek, or is not at its beginning, is copied into memory first.
    /// </summary>
    /// <param name="stream">The stream, which stays open.</param>
    /// <exception cref="InvalidDataException">
    /// The content is damaged, is not a checkpoint, or refers to Python objects that a state_dict does not need.
    /// </exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static StateDict Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return CheckpointReader.Read(stream);
    }

    /// <summary>Adds an entry at the end.</summary>
    /// <exception cref="ArgumentException">There is an entry with this name already.</exception>
    public void Add(StateEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!entries.TryAdd(entry.Name, entry))
            throw new ArgumentException(
                $"There is an entry '{entry.Name}' already; names must be unique.", nameof(entry));
    }

    /// <summary>
    /// Returns the entries whose names begin with a prefix, such as "decode_head.up1.", with the prefix removed, and
    /// the metadata. The entries share memory with those of this state_dict.
    /// </summary>
    /// <param name="prefix">The prefix, with its final dot; case-sensitive.</param>
    public StateDict Subset(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        var subset = new StateDict();
        foreach (var (text, value) in Metadata)
            subset.Metadata.Add(text, value);
        foreach (var entry in Values)
        {
            if (entry.Name.Length > prefix.Length && entry.Name.StartsWith(prefix, StringComparison.Ordinal))
                subset.Add(entry.Renamed(entry.Name[prefix.Length..]));
        }
        return subset;
    }

    /// <summary>Writes a safetensors file. An existing file is replaced only when the new one is complete.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidOperationException">An entry is named __metadata__.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string place = Path.GetFullPath(path);
        string temporary = Path.Combine(
            Path.GetDirectoryName(place) ?? string.Empty, $".{Path.GetFileName(place)}-{Path.GetRandomFileName()}");
        var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write);
        try
        {
            using (stream)
            {
                Save(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, place, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes the safetensors format to a stream, which stays open.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="InvalidOperationException">An entry is named __metadata__.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        SafetensorsWriter.Write(this, stream);
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => entries.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StateEntry value) =>
        entries.TryGetValue(key, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, StateEntry>> GetEnumerator() => entries.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

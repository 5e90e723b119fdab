using System.Collections;
using System.Diagnostics.CodeAnalysis;
using SapaGpu.Checkpoints;

namespace SapaGpu;

/// <summary>
/// The named tensors of a checkpoint, in the order of the file. Reads safetensors and what torch.save writes, writes
/// safetensors. Nothing in a file is executed.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "PyTorch's name for it.")]
public sealed class StateDict : IReadOnlyDictionary<string, StateEntry>
{
    private readonly OrderedDictionary<string, StateEntry> entries = new(StringComparer.Ordinal);

    /// <summary>Gets the free texts of a safetensors file, its __metadata__.</summary>
    public IDictionary<string, string> Metadata { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <inheritdoc/>
    public IEnumerable<string> Keys => entries.Keys;

    /// <inheritdoc/>
    public IEnumerable<StateEntry> Values => entries.Values;

    /// <inheritdoc/>
    public int Count => entries.Count;

    /// <summary>Gets the entry of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public StateEntry this[string key] => entries[key];

    /// <summary>
    /// Reads a safetensors file or a PyTorch checkpoint, zip or legacy, whatever the file is called. Of a dictionary
    /// that has a dictionary under "state_dict" or "model", that one is read; values that are no tensors are left out.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is damaged, or holds something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
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
    /// Reads a checkpoint from where a stream stands to its end. A stream that cannot seek, or does not stand at its
    /// beginning, is read into memory first.
    /// </summary>
    /// <exception cref="InvalidDataException">The content is damaged, or something else.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static StateDict Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return CheckpointReader.Read(stream);
    }

    /// <summary>Adds an entry at the end.</summary>
    /// <exception cref="ArgumentException">There is one of that name already.</exception>
    public void Add(StateEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!entries.TryAdd(entry.Name, entry))
            throw new ArgumentException($"There is an entry '{entry.Name}' already; names are unique.", nameof(entry));
    }

    /// <summary>
    /// The entries whose names begin with a prefix, such as "decode_head.up1.", without it. They share memory with
    /// these.
    /// </summary>
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

    /// <summary>Writes a safetensors file. A file of that name is replaced when the new one is complete.</summary>
    /// <exception cref="InvalidOperationException">An entry is called __metadata__.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
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

    /// <summary>Writes safetensors to a stream.</summary>
    /// <exception cref="InvalidOperationException">An entry is called __metadata__.</exception>
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

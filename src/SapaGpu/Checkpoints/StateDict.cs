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

    // Where the entries are in the file, the keys of its dictionaries, each followed by a dot.
    private readonly string path = string.Empty;
    private readonly IReadOnlyCollection<string>? known;

    /// <summary>Creates a state_dict without entries.</summary>
    public StateDict()
    {
    }

    /// <summary>Creates a state_dict without entries, for those that begin with a prefix.</summary>
    /// <param name="prefix">The prefix that was removed from the names.</param>
    /// <param name="known">The names that there were to choose from.</param>
    /// <param name="path">Where the entries are in the file, if there was no prefix.</param>
    internal StateDict(string prefix, IReadOnlyCollection<string> known, string path)
    {
        Prefix = prefix;
        this.known = known;
        this.path = prefix.Length == 0 ? path : string.Empty;
    }

    /// <summary>Gets the metadata of a safetensors file, the strings of its __metadata__.</summary>
    public IDictionary<string, string> Metadata { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <inheritdoc/>
    public IEnumerable<string> Keys => entries.Keys;

    /// <inheritdoc/>
    public IEnumerable<StateEntry> Values => entries.Values;

    /// <inheritdoc/>
    public int Count => entries.Count;

    /// <summary>Gets the prefix that was removed from the names.</summary>
    internal string Prefix { get; } = string.Empty;

    /// <summary>Gets the names that there were to choose from, prefixes included.</summary>
    internal IReadOnlyCollection<string> Known => known ?? entries.Keys;

    /// <summary>Gets what else was found, by name.</summary>
    internal Dictionary<string, UnreadableValue> Unreadable { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the entry with a name.</summary>
    /// <exception cref="KeyNotFoundException">There is no entry with this name.</exception>
    public StateEntry this[string key] => entries[key];

    /// <summary>
    /// Reads a safetensors file or a PyTorch checkpoint, in the zip or the legacy format, whatever the file extension.
    /// Values that are not tensors are passed over; Python objects among them are not built.
    /// </summary>
    /// <remarks>
    /// A checkpoint whose tensors are in inner dictionaries: the one under "state_dict", "model", "model_state_dict",
    /// "network", "net" or "params" is read, the first that is there, else the tensors at the outermost level, else the
    /// only dictionary that has tensors. Where none of several stands out, all are read, and names begin with the keys
    /// that lead to them, as in "generator.up.q.weight".
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged, is not a checkpoint, or has no tensors.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static StateDict Load(string path) => Query(path, StateQuery.Everything);

    /// <summary>
    /// Reads the tensors of a file whose names begin with a prefix, and none of the others; the prefix is removed.
    /// </summary>
    /// <inheritdoc cref="Load(string)" path="/exception"/>
    /// <param name="path">The file.</param>
    /// <param name="prefix">
    /// The prefix, with its final dot; case-sensitive. It may begin with the keys that lead to an inner dictionary of a
    /// PyTorch checkpoint, such as "state_dict_ema." or "model_ema.decode_head.".
    /// </param>
    /// <returns>The entries; none if no name begins so.</returns>
    public static StateDict Load(string path, string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return Query(path, new StateQuery(prefix, []));
    }

    /// <summary>Reads what is wanted of a file.</summary>
    internal static StateDict Query(string path, StateQuery query)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            return CheckpointReader.Read(stream, query);
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
    /// <exception cref="InvalidDataException">The content is damaged, is not a checkpoint, or has no tensors.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static StateDict Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return CheckpointReader.Read(stream, StateQuery.Everything);
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
        var subset = new StateDict(prefix, Prefix.Length == 0 ? Known : [.. entries.Keys], string.Empty);
        foreach (var (text, value) in Metadata)
            subset.Metadata.Add(text, value);
        // A prefix may name the dictionary of the file that was read.
        bool isPath = path.Length > 0 && prefix.StartsWith(path, StringComparison.Ordinal)
            && !entries.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));
        string start = isPath ? prefix[path.Length..] : prefix;
        foreach (var entry in Values)
        {
            if (entry.Name.Length > start.Length && entry.Name.StartsWith(start, StringComparison.Ordinal))
                subset.Add(entry.Renamed(entry.Name[start.Length..]));
        }
        foreach (var (name, value) in Unreadable)
        {
            if (name.Length > start.Length && name.StartsWith(start, StringComparison.Ordinal))
                subset.Unreadable.Add(name[start.Length..], value);
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

namespace SapaGpu.Checkpoints;

/// <summary>A tensor of a checkpoint that has not been read yet.</summary>
/// <param name="Name">Its name in its section.</param>
/// <param name="Read">Reads it as an entry with a name.</param>
internal sealed record StateItem(string Name, Func<string, StateEntry> Read);

/// <summary>A dictionary of a checkpoint that has tensors.</summary>
/// <param name="Path">The keys that lead to it, each followed by a dot; empty for the outermost dictionary.</param>
/// <param name="Items">Its tensors.</param>
/// <param name="Others">Its other values, by name.</param>
internal sealed record StateSection(
    string Path, IReadOnlyList<StateItem> Items, IReadOnlyList<KeyValuePair<string, UnreadableValue>> Others)
{
    /// <summary>Gets the path without its first key, without its first two keys, and so on down to nothing.</summary>
    public IEnumerable<string> ShorterPaths
    {
        get
        {
            for (int dot = Path.IndexOf('.'); dot >= 0; dot = Path.IndexOf('.', dot + 1))
                yield return Path[(dot + 1)..];
        }
    }
}

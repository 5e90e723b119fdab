namespace SapaGpu.Checkpoints;

/// <summary>A dictionary of a pickle, in the order of insertion.</summary>
internal sealed class PickleDict
{
    // Most dictionaries of a checkpoint are empty, one for every tensor.
    private OrderedDictionary<string, object?>? texts;
    private List<(object? Key, object? Value)>? others;

    /// <summary>Gets the values whose keys are strings.</summary>
    public IEnumerable<KeyValuePair<string, object?>> Texts => texts ?? [];

    /// <summary>Gets the values whose keys are something else.</summary>
    public IEnumerable<(object? Key, object? Value)> Others => others ?? [];

    /// <summary>Gets whether there is nothing inside.</summary>
    public bool IsEmpty => texts is null && others is null;

    /// <summary>Adds a value.</summary>
    /// <exception cref="InvalidDataException">The key is there already.</exception>
    public void Add(object? key, object? value)
    {
        if (key is not string text)
        {
            others ??= [];
            others.Add((key, value));
            return;
        }
        texts ??= new OrderedDictionary<string, object?>(StringComparer.Ordinal);
        if (!texts.TryAdd(text, value))
            throw new InvalidDataException($"the key {ShownText.Quoted(text)} occurs twice in a dictionary");
    }

    /// <summary>The value of a string key; null if there is none.</summary>
    public object? Find(string key) => texts?.GetValueOrDefault(key);
}

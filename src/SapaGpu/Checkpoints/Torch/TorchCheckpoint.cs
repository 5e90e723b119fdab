namespace SapaGpu.Checkpoints;

/// <summary>
/// Finds the dictionaries with tensors in the values of a PyTorch checkpoint: the outermost one, and those that are
/// reached from it through the string keys of dictionaries.
/// </summary>
internal sealed class TorchCheckpoint
{
    // Copies are made of views that are not contiguous; views that repeat numbers could make a small file very large.
    private const long CopiesOfAnyFile = 1L << 26;
    private const int CopiesPerByte = 4;

    // Dictionaries that are shared at every level would have names without end. What is deeper is passed over.
    private const int MostNames = 1 << 20;
    private const int MostKeys = 16;
    private const int ShownKeys = 5;

    // What training programs call the parameters of the network, the first of them taken; copies of these, such as
    // running means, have other names.
    private static readonly string[] Wrappers = ["state_dict", "model", "model_state_dict", "network", "net", "params"];

    private readonly ITorchStorages storages;
    private readonly List<StateSection> sections = [];
    private long copiesLeft;
    private int namesLeft = MostNames;

    private TorchCheckpoint(ITorchStorages storages, long fileLength)
    {
        this.storages = storages;
        copiesLeft = CopiesOfAnyFile + CopiesPerByte * fileLength;
    }

    /// <summary>Reads what is wanted from the value of the pickle.</summary>
    /// <param name="root">The value.</param>
    /// <param name="storages">The storages beside the pickle.</param>
    /// <param name="fileLength">The bytes of the file, which bound the memory that is used.</param>
    /// <param name="query">What is wanted.</param>
    /// <exception cref="InvalidDataException">There is no tensor in it.</exception>
    public static StateDict Build(object? root, ITorchStorages storages, long fileLength, StateQuery query)
    {
        if (root is not PickleDict dict)
        {
            throw new InvalidDataException(
                $"the checkpoint is {(root is TorchTensor ? "a tensor" : PickleStack.Describe(root))}, not a " +
                "dictionary; nothing was executed. Save model.state_dict()");
        }
        var checkpoint = new TorchCheckpoint(storages, fileLength);
        checkpoint.Collect(dict, string.Empty, MostKeys);
        if (checkpoint.sections.Count == 0 && !(Wrapped(dict).FirstOrDefault().Value ?? dict).IsEmpty)
        {
            throw new InvalidDataException(
                "the checkpoint has no tensors in its dictionaries; its first keys are " +
                string.Join(", ", dict.Texts.Take(ShownKeys).Select(Describe)));
        }
        return StateSelection.Select(checkpoint.sections, checkpoint.Main(dict, string.Empty), query);
    }

    private static IEnumerable<KeyValuePair<string, PickleDict>> Wrapped(PickleDict dict) =>
        from name in Wrappers
        let inner = dict.Find(name) as PickleDict
        where inner is not null
        select KeyValuePair.Create(name, inner);

    private static string Describe(KeyValuePair<string, object?> item) => item.Value is OpaqueValue opaque
        ? $"{ShownText.Quoted(item.Key)}, {opaque}"
        : ShownText.Quoted(item.Key);

    private void Collect(PickleDict dict, string path, int keysLeft)
    {
        namesLeft -= dict.Texts.Count();
        if (namesLeft < 0)
            throw new InvalidDataException($"the dictionaries of the checkpoint have more than {MostNames:N0} names");
        if (dict.Texts.Any(item => item.Value is TorchTensor))
            sections.Add(Section(dict, path));
        if (keysLeft == 0)
            return;
        foreach (var (name, value) in dict.Texts)
        {
            if (value is PickleDict inner)
                Collect(inner, $"{path}{name}.", keysLeft - 1);
        }
    }

    private StateSection Section(PickleDict dict, string path)
    {
        var items = new List<StateItem>();
        var others = new List<KeyValuePair<string, UnreadableValue>>();
        foreach (var (name, value) in dict.Texts)
        {
            if (value is TorchTensor tensor)
                items.Add(new StateItem(name, other => Read(other, tensor)));
            else
                others.Add(new(name, new(PickleStack.Describe(value), value is OpaqueValue { IsTensor: true })));
        }
        return new StateSection(path, items, others);
    }

    // The dictionary whose names need no path; null where none of several stands out.
    private StateSection? Main(PickleDict dict, string path)
    {
        foreach (var (name, inner) in Wrapped(dict))
        {
            string innerPath = $"{path}{name}.";
            if (sections.Exists(section => section.Path.StartsWith(innerPath, StringComparison.Ordinal)))
                return Main(inner, innerPath);
        }
        if (sections.Find(section => section.Path == path) is { } own)
            return own;
        var below = sections.FindAll(section => section.Path.StartsWith(path, StringComparison.Ordinal));
        return below.Count == 1 ? below[0] : null;
    }

    private StateEntry Read(string name, TorchTensor tensor)
    {
        if (!tensor.IsContiguous && (copiesLeft -= ByteCount(tensor)) < 0)
        {
            throw new InvalidDataException(
                $"{ShownText.Quoted(name)} of shape {StateShape.Text(tensor.Shape)} repeats the elements of its " +
                "storage too often for the size of the file; save it with contiguous()");
        }
        var bytes = tensor.Read(tensor.Count == 0 ? default : storages.Read(tensor.Storage));
        return new StateEntry(name, tensor.Shape, tensor.Storage.Type, bytes);
    }

    private static long ByteCount(TorchTensor tensor) =>
        (long)Int128.Min((Int128)tensor.Count * tensor.Storage.Type.ByteSize(), long.MaxValue / 2);
}

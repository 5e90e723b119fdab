namespace SapaGpu.Checkpoints;

/// <summary>Finds the state_dict in the values of a PyTorch checkpoint.</summary>
internal static class TorchCheckpoint
{
    // Copies are made of views that are not contiguous; views that repeat numbers could make a small file very large.
    private const long CopiesOfAnyFile = 1L << 26;
    private const int CopiesPerByte = 4;
    private const int ShownKeys = 5;
    private static readonly string[] Wrappers = ["state_dict", "model"];

    /// <summary>Creates a state_dict from the value of the pickle.</summary>
    /// <param name="root">The value.</param>
    /// <param name="storages">The storages beside the pickle.</param>
    /// <param name="fileLength">The bytes of the file, which bound the memory that is used.</param>
    /// <exception cref="InvalidDataException">There is no state_dict in it.</exception>
    public static StateDict Build(object? root, ITorchStorages storages, long fileLength)
    {
        if (root is not PickleDict dict)
        {
            throw new InvalidDataException(
                $"the checkpoint is {(root is TorchTensor ? "a tensor" : PickleStack.Describe(root))}, not a " +
                "dictionary; save model.state_dict()");
        }
        dict = Wrappers.Select(dict.Find).OfType<PickleDict>().FirstOrDefault() ?? dict;
        var state = new StateDict();
        long copies = CopiesOfAnyFile + CopiesPerByte * fileLength;
        foreach (var (name, value) in dict.Texts)
        {
            if (value is not TorchTensor tensor)
                continue;
            if (!tensor.IsContiguous && (copies -= ByteCount(tensor)) < 0)
            {
                throw new InvalidDataException(
                    $"{ShownText.Quoted(name)} of shape {StateShape.Text(tensor.Shape)} repeats the elements of its " +
                    "storage too often for the size of the file; save it with contiguous()");
            }
            var bytes = tensor.Read(tensor.Count == 0 ? default : storages.Read(tensor.Storage));
            state.Add(new StateEntry(name, tensor.Shape, tensor.Storage.Type, bytes));
        }
        if (state.Count == 0 && !dict.IsEmpty)
        {
            throw new InvalidDataException(
                "the checkpoint has no tensors at its top level or under 'state_dict' or 'model'; its first keys are " +
                string.Join(", ", dict.Texts.Take(ShownKeys).Select(item => ShownText.Quoted(item.Key))));
        }
        return state;
    }

    private static long ByteCount(TorchTensor tensor) =>
        (long)Int128.Min((Int128)tensor.Count * tensor.Storage.Type.ByteSize(), long.MaxValue / 2);
}

namespace SapaGpu.Checkpoints;

/// <summary>
/// The few globals and calls that the pickle of a state_dict needs. All others become values that nothing is known of
/// but their name.
/// </summary>
internal sealed class TorchObjects : IPickleObjects
{
    private const int StorageFields = 5;
    private const int MaximumPairs = 1 << 20;
    private readonly Dictionary<string, TorchStorage> storages = new(StringComparer.Ordinal);

    // A list of pairs can be passed to any number of calls.
    private int pairsLeft = MaximumPairs;

    /// <summary>Gets the storages that the pickle named, by their keys.</summary>
    public IReadOnlyDictionary<string, TorchStorage> Storages => storages;

    /// <inheritdoc/>
    public object FindGlobal(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => TorchFunction.OrderedDict,
        ("torch", "Size") => TorchFunction.Size,
        ("torch._utils", "_rebuild_tensor_v2") => TorchFunction.RebuildTensor,
        ("torch._utils", "_rebuild_tensor_v3") => TorchFunction.RebuildTypedTensor,
        ("torch._utils", "_rebuild_parameter" or "_rebuild_parameter_with_state") => TorchFunction.RebuildParameter,
        ("torch._tensor", "_rebuild_from_type_v2") => TorchFunction.RebuildFromType,
        ("torch" or "torch.storage", "UntypedStorage") => CheckpointType.UInt8,
        ("torch", _) when CheckpointTypes.FromTorchStorage(name) is { } type => type,
        _ => new OpaqueValue(module, name, module == "torch._utils" && name.StartsWith("_rebuild_", StringComparison.Ordinal)),
    };

    /// <inheritdoc/>
    public object Call(object? callable, object?[] arguments) => callable switch
    {
        TorchFunction.OrderedDict when arguments is [OpaqueValue pairs] => pairs,
        TorchFunction.OrderedDict => OrderedDict(arguments),
        TorchFunction.Size when arguments is [object?[] sizes] => sizes,
        TorchFunction.RebuildTensor when arguments is [TorchStorage { Type: CheckpointType.Other } other, ..] =>
            new OpaqueValue("torch", other.TypeName, isTensor: true),
        TorchFunction.RebuildTensor
            when arguments is [TorchStorage storage, long offset, object?[] sizes, object?[] strides, ..] =>
            TorchTensor.Create(storage, offset, Whole(sizes), Whole(strides)),
        TorchFunction.RebuildTypedTensor when arguments is [_, _, _, _, _, _, OpaqueValue type, ..] =>
            new OpaqueValue(type.Module, type.Name, isTensor: true),
        TorchFunction.RebuildParameter when arguments is [TorchTensor tensor, ..] => tensor,
        TorchFunction.RebuildFromType when arguments is
            [TorchFunction.RebuildTensor or TorchFunction.RebuildParameter, _, object?[] inner, ..] =>
            Call(arguments[0], inner),
        OpaqueValue value => new OpaqueValue(value.Module, value.Name, value.IsTensor),
        TorchFunction when Array.Find(arguments, argument => argument is OpaqueValue) is { } unknown => unknown,
        TorchFunction => throw new InvalidDataException($"the pickle calls {callable} with wrong arguments"),
        _ => throw new InvalidDataException("the pickle calls an object that is not a function"),
    };

    /// <inheritdoc/>
    public object LoadPersistent(object? id)
    {
        // The legacy format refers so to the classes of whole models.
        if (id is object?[] and ["module", OpaqueValue module, ..])
            return module;
        if (id is not object?[] { Length: >= StorageFields } fields
            || fields is not ["storage", CheckpointType or OpaqueValue, string key, _, long count, ..])
        {
            throw new InvalidDataException(
                "the pickle refers to an object that is not a storage; save model.state_dict()");
        }
        if (fields.Length > StorageFields && fields[StorageFields] is not null)
            throw new InvalidDataException(
                "views of storages (PyTorch before 0.4) are not supported; save with a newer version");
        if (count < 0 || count > long.MaxValue / (2 * sizeof(double)))
            throw new InvalidDataException($"a storage is declared with {count:N0} elements");
        var storage = fields[1] is CheckpointType type
            ? TorchStorage.Of(key, type, count)
            : TorchStorage.OfOther(key, ((OpaqueValue)fields[1]!).Name, count);
        if (!storages.TryAdd(key, storage) && storages[key] != storage)
        {
            throw new InvalidDataException(
                $"the storage {ShownText.Quoted(key)} is declared with {storages[key].Count:N0} " +
                $"{ShownText.OneLine(storages[key].TypeName)} and with {count:N0} {ShownText.OneLine(storage.TypeName)}");
        }
        return storages[key];
    }

    private PickleDict OrderedDict(object?[] arguments)
    {
        var dict = new PickleDict();
        if (arguments is [])
            return dict;
        if (arguments is not [List<object?> pairs])
            throw new InvalidDataException("the pickle calls OrderedDict with wrong arguments");
        pairsLeft -= pairs.Count;
        if (pairsLeft < 0)
            throw new InvalidDataException($"the pickle calls OrderedDict with more than {MaximumPairs:N0} pairs");
        foreach (object? pair in pairs)
        {
            // Python 2 writes lists, others tuples.
            if (pair is not IReadOnlyList<object?> { Count: 2 } item)
                throw new InvalidDataException("the pickle calls OrderedDict with an item that is not a pair");
            dict.Add(item[0], item[1]);
        }
        return dict;
    }

    private static long[] Whole(object?[] numbers)
    {
        if (numbers.Length > StateShape.MaximumRank)
            throw new InvalidDataException(
                $"a tensor has {numbers.Length:N0} dimensions or strides, more than {StateShape.MaximumRank}");
        return Array.ConvertAll(
            numbers,
            number => number is long whole
                ? whole
                : throw new InvalidDataException(
                    $"a tensor has {PickleStack.Describe(number)} among its dimensions or strides"));
    }
}

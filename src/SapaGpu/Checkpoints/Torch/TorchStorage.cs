namespace SapaGpu.Checkpoints;

/// <summary>Memory that tensors of a checkpoint share, stored beside the pickle.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">The element type; <see cref="CheckpointType.Other"/> for one that is not read.</param>
/// <param name="Count">The number of elements.</param>
/// <param name="TypeName">PyTorch's name of the class of the storage.</param>
/// <param name="ElementSize">The bytes of an element; 0 if they are not known.</param>
internal sealed record TorchStorage(string Key, CheckpointType Type, long Count, string TypeName, int ElementSize)
{
    // Bytes of the elements of storages whose numbers are not read, which lie between others in the legacy format.
    private static readonly Dictionary<string, int> OtherSizes = new(StringComparer.Ordinal)
    {
        ["ComplexFloatStorage"] = 8,
        ["ComplexDoubleStorage"] = 16,
        ["QInt8Storage"] = 1,
        ["QUInt8Storage"] = 1,
        ["QInt32Storage"] = 4,
        ["QUInt4x2Storage"] = 1,
        ["QUInt2x4Storage"] = 1,
    };

    /// <summary>Gets the number of bytes.</summary>
    public long ByteCount => Count * ElementSize;

    /// <summary>A storage of a type that is read.</summary>
    public static TorchStorage Of(string key, CheckpointType type, long count) =>
        new(key, type, count, type.ToString(), type.ByteSize());

    /// <summary>A storage of a class that is not read.</summary>
    public static TorchStorage OfOther(string key, string typeName, long count) =>
        new(key, CheckpointType.Other, count, typeName, OtherSizes.GetValueOrDefault(typeName));
}

namespace SapaGpu.Checkpoints;

/// <summary>Sizes of the element types and their names in the file formats.</summary>
internal static class CheckpointTypes
{
    private static readonly Description[] All =
    [
        new(CheckpointType.Float64, sizeof(double), "F64", "DoubleStorage"),
        new(CheckpointType.Float32, sizeof(float), "F32", "FloatStorage"),
        new(CheckpointType.Float16, sizeof(ushort), "F16", "HalfStorage"),
        new(CheckpointType.BFloat16, sizeof(ushort), "BF16", "BFloat16Storage"),
        new(CheckpointType.Int64, sizeof(long), "I64", "LongStorage"),
        new(CheckpointType.Int32, sizeof(int), "I32", "IntStorage"),
        new(CheckpointType.Int16, sizeof(short), "I16", "ShortStorage"),
        new(CheckpointType.Int8, sizeof(sbyte), "I8", "CharStorage"),
        new(CheckpointType.UInt8, sizeof(byte), "U8", "ByteStorage"),
        new(CheckpointType.Bool, sizeof(byte), "BOOL", "BoolStorage"),
        new(CheckpointType.Other, 1, null, null),
    ];

    /// <summary>Gets the names in safetensors files of the types that are read.</summary>
    public static string Names { get; } = string.Join(", ", All.Select(d => d.Safetensors).OfType<string>());

    /// <summary>The size of an element in bytes.</summary>
    public static int ByteSize(this CheckpointType type) => All[(int)type].Size;

    /// <summary>The name in a safetensors file.</summary>
    public static string SafetensorsName(this CheckpointType type) => All[(int)type].Safetensors ?? string.Empty;

    /// <summary>The type with a name in safetensors files; null if it is not supported.</summary>
    public static CheckpointType? FromSafetensors(string name) =>
        Array.Find(All, description => description.Safetensors == name)?.Type;

    /// <summary>The type of a storage class of PyTorch; null if it is not supported.</summary>
    public static CheckpointType? FromTorchStorage(string name) =>
        Array.Find(All, description => description.TorchStorage == name)?.Type;

    private sealed record Description(CheckpointType Type, int Size, string? Safetensors, string? TorchStorage);
}

namespace SapaGpu.Checkpoints;

/// <summary>Memory that tensors of a checkpoint share, stored beside the pickle.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">The element type.</param>
/// <param name="Count">The number of elements.</param>
internal sealed record TorchStorage(string Key, CheckpointType Type, long Count)
{
    /// <summary>Gets the number of bytes.</summary>
    public long ByteCount => Count * Type.ByteSize();
}

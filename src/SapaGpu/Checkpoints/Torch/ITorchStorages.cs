namespace SapaGpu.Checkpoints;

/// <summary>The storages of a checkpoint.</summary>
internal interface ITorchStorages
{
    /// <summary>The bytes of a storage, read at the first call.</summary>
    /// <exception cref="InvalidDataException">The file does not have them.</exception>
    ReadOnlyMemory<byte> Read(TorchStorage storage);
}

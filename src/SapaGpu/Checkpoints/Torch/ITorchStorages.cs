namespace SapaGpu.Checkpoints;

/// <summary>The storages of a checkpoint.</summary>
internal interface ITorchStorages
{
    /// <summary>The bytes of a storage, read when they are first asked for.</summary>
    /// <exception cref="InvalidDataException">They are not there.</exception>
    ReadOnlyMemory<byte> Read(TorchStorage storage);
}

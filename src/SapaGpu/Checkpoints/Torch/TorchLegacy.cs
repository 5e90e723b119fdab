using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace SapaGpu.Checkpoints;

/// <summary>
/// Reads what torch.save wrote before PyTorch 1.6, and still writes on request: pickles of a magic number, a protocol
/// version, system information, the object and the keys of the storages; then each storage with its length.
/// </summary>
internal sealed class TorchLegacy : ITorchStorages
{
    private const long Protocol = 1001;
    private static readonly BigInteger Magic = BigInteger.Parse(
        "1950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static readonly byte[] MagicBytes = Magic.ToByteArray();

    private readonly Stream stream;
    private readonly Dictionary<string, long> offsets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> contents = new(StringComparer.Ordinal);

    private TorchLegacy(Stream stream) => this.stream = stream;

    /// <summary>Whether a file that starts with these bytes has this format.</summary>
    public static bool IsStart(ReadOnlySpan<byte> start) =>
        start.Length > 0 && start[0] == (byte)PickleOpcode.Protocol && start.IndexOf(MagicBytes) > 0;

    /// <summary>Reads what is wanted of a file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or not supported.</exception>
    public static StateDict Read(Stream stream, StateQuery query)
    {
        var input = new PickleInput(stream);
        var objects = new TorchObjects();
        if (PickleReader.Read(input, objects) is not BigInteger magic || magic != Magic)
            throw new InvalidDataException("the magic number of torch.save is damaged");
        if (PickleReader.Read(input, objects) is not Protocol)
            throw new InvalidDataException($"the protocol of torch.save is not {Protocol}; save with a newer PyTorch");
        if (PickleReader.Read(input, objects) is not PickleDict system || system.Find("little_endian") is false)
            throw new InvalidDataException("the file was not saved on a little-endian machine; save it on one");
        object? root = PickleReader.Read(input, objects);
        if (PickleReader.Read(input, objects) is not List<object?> keys)
            throw new InvalidDataException("the keys of the storages are not a list");
        var storages = new TorchLegacy(stream);
        storages.Locate(keys, objects.Storages, input.Position);
        return TorchCheckpoint.Build(root, storages, stream.Length, query);
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Read(TorchStorage storage)
    {
        if (!offsets.TryGetValue(storage.Key, out long offset))
            throw new InvalidDataException($"the storage {ShownText.Quoted(storage.Key)} is missing");
        if (!contents.TryGetValue(storage.Key, out var bytes))
        {
            bytes = StreamPart.Read(stream, offset, storage.ByteCount);
            contents.Add(storage.Key, bytes);
        }
        return bytes;
    }

    private void Locate(List<object?> keys, IReadOnlyDictionary<string, TorchStorage> storages, long position)
    {
        foreach (object? key in keys)
        {
            if (key is not string text || !storages.TryGetValue(text, out var storage))
                throw new InvalidDataException(
                    $"the file lists {PickleStack.Describe(key)} as a storage, which no tensor uses");
            long count = BinaryPrimitives.ReadInt64LittleEndian(StreamPart.Read(stream, position, sizeof(long)));
            if (count != storage.Count)
            {
                throw new InvalidDataException(
                    $"the storage {ShownText.Quoted(text)} is declared with {storage.Count:N0} elements, but has " +
                    $"{count:N0}");
            }
            position += sizeof(long);
            if (storage.ElementSize == 0)
            {
                throw new InvalidDataException(
                    $"the storage {ShownText.Quoted(text)} is a torch.{ShownText.OneLine(storage.TypeName)}, whose size is " +
                    "not known; save it in the zip format");
            }
            if (storage.ByteCount > stream.Length - position)
                throw new InvalidDataException($"the storage {ShownText.Quoted(text)} is cut off");
            if (!offsets.TryAdd(text, position))
                throw new InvalidDataException($"the storage {ShownText.Quoted(text)} occurs twice");
            position += storage.ByteCount;
        }
    }
}

using System.IO.Compression;
using System.Text;

namespace SapaGpu.Checkpoints;

/// <summary>
/// Reads what torch.save writes since PyTorch 1.6: a zip file with a folder of any name that has the pickle data.pkl
/// and the storages data/KEY. No entry is compressed.
/// </summary>
internal sealed class TorchZip : ITorchStorages
{
    private const string PickleName = "data.pkl";
    private readonly Dictionary<string, ZipArchiveEntry> entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> contents = new(StringComparer.Ordinal);
    private string folder = string.Empty;

    // Entries that overlap could make a small file very large.
    private long bytesLeft;

    private TorchZip(long fileLength) => bytesLeft = fileLength;

    /// <summary>Reads what is wanted of a file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or not supported.</exception>
    public static StateDict Read(Stream stream, StateQuery query)
    {
        try
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            var zip = new TorchZip(stream.Length);
            zip.FindEntries(archive);
            zip.CheckByteOrder();
            using var pickle = new MemoryStream(zip.ReadEntry(zip.entries[zip.folder + PickleName]));
            object? root = PickleReader.Read(new PickleInput(pickle), new TorchObjects());
            return TorchCheckpoint.Build(root, zip, stream.Length, query);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or OverflowException)
        {
            throw new InvalidDataException("the zip file is damaged", e);
        }
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Read(TorchStorage storage)
    {
        if (contents.TryGetValue(storage.Key, out var bytes))
            return bytes;
        if (!entries.TryGetValue($"{folder}data/{storage.Key}", out var entry))
            throw new InvalidDataException($"the storage {ShownText.Quoted(storage.Key)} is missing");
        if (entry.Length != storage.ByteCount)
        {
            throw new InvalidDataException(
                $"the storage {ShownText.Quoted(storage.Key)} is declared with {storage.ByteCount:N0} bytes, but has " +
                $"{entry.Length:N0}");
        }
        bytes = ReadEntry(entry);
        contents.Add(storage.Key, bytes);
        return bytes;
    }

    private void FindEntries(ZipArchive archive)
    {
        string? pickle = null;
        foreach (var entry in archive.Entries)
        {
            if (!entries.TryAdd(entry.FullName, entry))
                throw new InvalidDataException($"the entry {ShownText.Quoted(entry.FullName)} occurs twice");
            if (entry.Name != PickleName)
                continue;
            if (pickle is not null)
                throw new InvalidDataException($"there is more than one {PickleName} in the zip file");
            pickle = entry.FullName;
        }
        if (pickle is null)
            throw new InvalidDataException($"there is no {PickleName} in the zip file; save it with torch.save");
        folder = pickle[..^PickleName.Length];
    }

    private void CheckByteOrder()
    {
        if (!entries.TryGetValue(folder + "byteorder", out var entry))
            return;
        string order = Encoding.Latin1.GetString(ReadEntry(entry));
        if (order != "little")
        {
            throw new InvalidDataException(
                $"the byte order is {ShownText.Quoted(order)}; save it on a little-endian machine");
        }
    }

    private byte[] ReadEntry(ZipArchiveEntry entry)
    {
        if (entry.IsEncrypted || entry.CompressedLength != entry.Length)
        {
            throw new InvalidDataException(
                $"the entry {ShownText.Quoted(entry.FullName)} is compressed or encrypted; save it with torch.save");
        }
        bytesLeft -= entry.Length;
        if (entry.Length < 0 || bytesLeft < 0)
            throw new InvalidDataException("the entries of the zip file are larger than the file, or overlap");
        var bytes = StreamPart.Allocate(entry.Length);
        using var content = entry.Open();
        content.ReadExactly(bytes);
        return bytes;
    }
}

using System.IO.Compression;

namespace SapaGpu.Workloads.Npy;

/// <summary>Reads .npz files, NumPy's archives of arrays, that hold one array.</summary>
internal static class NpzFile
{
    private const string Extension = ".npy";

    /// <summary>Reads the only array of an archive.</summary>
    /// <param name="stream">The archive, which can be sought in.</param>
    /// <param name="name">The name of the file in messages.</param>
    /// <exception cref="InvalidDataException">The archive is damaged, or does not hold exactly one array.</exception>
    public static NpyElements ReadElements(Stream stream, string name)
    {
        // However much is packed, no more is unpacked than the array announces.
        NpyElements? elements = null;
        Unpack(stream, name, (packed, length) => elements = NpyFile.ReadElements(packed, length, name));
        return elements!;
    }

    /// <summary>Reads the dimensions of the only array of an archive, and unpacks nothing after them.</summary>
    /// <inheritdoc cref="ReadElements"/>
    public static int[] ReadShape(Stream stream, string name)
    {
        int[] shape = [];
        Unpack(stream, name, (packed, _) => shape = NpyFile.ReadShape(packed, name));
        return shape;
    }

    private static void Unpack(Stream stream, string name, Action<Stream, long> read)
    {
        List<string> names;
        try
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            List<ZipArchiveEntry> arrays =
                [.. archive.Entries.Where(entry => entry.FullName.EndsWith(Extension, StringComparison.Ordinal))];
            names = [.. arrays.Select(entry => entry.FullName[..^Extension.Length])];
            if (names.Count == 1)
            {
                using var packed = arrays[0].Open();
                read(packed, arrays[0].Length);
                return;
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException && !e.Message.StartsWith(name, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{name}: not a readable .npz file ({e.Message.TrimEnd('.')}).", e);
        }
        string list = names.Count == 0 ? string.Empty : $" ({string.Join(", ", names)})";
        throw new InvalidDataException(
            $"{name}: {names.Count} arrays are in this file{list}; save the one to use as .npy, or alone as .npz.");
    }
}

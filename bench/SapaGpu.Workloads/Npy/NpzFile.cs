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
        var (count, names, content) = Unpack(stream, name);
        return content is null
            ? throw new InvalidDataException(
                $"{name}: {count} arrays are in this file{names}; save the one to use as .npy, or alone as .npz.")
            : NpyFile.ReadElements(content, name);
    }

    private static (int Count, string Names, MemoryStream? Content) Unpack(Stream stream, string name)
    {
        try
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            var arrays = archive.Entries.Where(entry => entry.FullName.EndsWith(Extension, StringComparison.Ordinal));
            var names = arrays.Select(entry => entry.FullName[..^Extension.Length]).ToList();
            if (names.Count != 1)
                return (names.Count, names.Count == 0 ? string.Empty : $" ({string.Join(", ", names)})", null);
            using var packed = arrays.Single().Open();
            var content = new MemoryStream();
            packed.CopyTo(content);
            content.Position = 0;
            return (1, string.Empty, content);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new InvalidDataException($"{name}: not a readable .npz file ({e.Message.TrimEnd('.')}).", e);
        }
    }
}

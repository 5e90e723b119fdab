using System.Buffers.Binary;
using System.Text;

namespace SapaGpu.Shared;

/// <summary>
/// Lets TorchSharp's native library load where the C++ runtime is older than the one it was linked with: it announces a
/// need for the symbol version GLIBCXX_3.4.32, which none of its symbols use. The announcement is marked as weak in the
/// copy under the output folder, before the library is first loaded.
/// </summary>
internal static class TorchLibrary
{
    private const string UnusedVersion = "GLIBCXX_3.4.32";
    private const uint VersionNeedSection = 0x6FFFFFFE;
    private const ushort WeakFlag = 2;
    private const int SectionHeaderSize = 64;
    private const int NeedSize = 16;

    /// <summary>Marks the announcement; without effect where it is absent, or weak already.</summary>
    public static void AllowOlderRuntime()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        if (!OperatingSystem.IsLinux() || !File.Exists(path))
            return;
        var image = File.ReadAllBytes(path);
        if (!MarkWeak(image))
            return;
        // The file may be a link to the package's: it is replaced, not written to. So may several processes do at once.
        string marked = $"{path}.{Environment.ProcessId}";
        File.WriteAllBytes(marked, image);
        File.Move(marked, path, overwrite: true);
    }

    // Walks the section headers of a 64-bit little-endian ELF file to .gnu.version_r and the strings it refers to.
    private static bool MarkWeak(Span<byte> image)
    {
        long sections = BinaryPrimitives.ReadInt64LittleEndian(image[0x28..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(image[0x3C..]);
        bool changed = false;
        for (int i = 0; i < count; i++)
        {
            var header = image[(int)(sections + i * SectionHeaderSize)..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) != VersionNeedSection)
                continue;
            int link = BinaryPrimitives.ReadInt32LittleEndian(header[40..]);
            var names = image[(int)Offset(image, sections, link)..];
            changed |= MarkNeeds(image, (int)Offset(image, sections, i), names);
        }
        return changed;
    }

    private static long Offset(ReadOnlySpan<byte> image, long sections, int section) =>
        BinaryPrimitives.ReadInt64LittleEndian(image[(int)(sections + section * SectionHeaderSize + 24)..]);

    private static bool MarkNeeds(Span<byte> image, int need, ReadOnlySpan<byte> names)
    {
        bool changed = false;
        while (true)
        {
            int versions = BinaryPrimitives.ReadUInt16LittleEndian(image[(need + 2)..]);
            int version = need + BinaryPrimitives.ReadInt32LittleEndian(image[(need + 8)..]);
            for (int i = 0; i < versions; i++)
            {
                var name = names[BinaryPrimitives.ReadInt32LittleEndian(image[(version + 8)..])..];
                var flags = image.Slice(version + 4, 2);
                if (name[..name.IndexOf((byte)0)].SequenceEqual(Encoding.ASCII.GetBytes(UnusedVersion))
                    && BinaryPrimitives.ReadUInt16LittleEndian(flags) != WeakFlag)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(flags, WeakFlag);
                    changed = true;
                }
                version += BinaryPrimitives.ReadInt32LittleEndian(image[(version + NeedSize - 4)..]);
            }
            int next = BinaryPrimitives.ReadInt32LittleEndian(image[(need + NeedSize - 4)..]);
            if (next == 0)
                return changed;
            need += next;
        }
    }
}

using System.Runtime.InteropServices;

namespace SapaGpu.Devices;

/// <summary>
/// Asks Linux for large pages under large maps: walking a feature map touches more small pages than the processor has
/// entries to translate them.
/// </summary>
internal static partial class HugePages
{
    /// <summary>The bytes of a large page.</summary>
    public const long Size = 2L << 20;

    private const int MadviseHugePage = 14;

    /// <summary>Asks for large pages; where there are none, nothing changes.</summary>
    public static void Advise(nint pointer, long bytes)
    {
        if (OperatingSystem.IsLinux() && bytes >= Size)
            _ = Advise(pointer, (nuint)bytes, MadviseHugePage);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}

namespace SapaGpu.Cli.Images;

/// <summary>Compares paths of files that may not exist yet.</summary>
internal static class FilePath
{
    /// <summary>More links than this in a path lead in a circle.</summary>
    private const int MostLinks = 32;

    private static readonly StringComparison Comparison =
        OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>Whether two paths name one file, through links or not.</summary>
    public static bool AreSame(string first, string second) =>
        string.Equals(Resolve(first, MostLinks), Resolve(second, MostLinks), Comparison);

    /// <summary>A path without links, the same for all names of a file that differ in more than case.</summary>
    public static string Resolve(string path) => Resolve(path, MostLinks);

    private static string Resolve(string path, int links)
    {
        string full = Path.GetFullPath(path);
        if (Path.GetDirectoryName(full) is not { } folder)
            return full;
        full = Path.Combine(Resolve(folder, links), Path.GetFileName(full));
        try
        {
            return links > 0 && File.ResolveLinkTarget(full, returnFinalTarget: false) is { } target
                ? Resolve(target.FullName, links - 1)
                : full;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return full;
        }
    }
}

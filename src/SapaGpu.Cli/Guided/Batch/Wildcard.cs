using System.IO.Enumeration;

namespace SapaGpu.Cli.Guided.Batch;

/// <summary>
/// File names with <c>*</c> for any characters and <c>?</c> for one, in folders as well; a folder <c>**</c> stands for
/// any depth. Hidden files and folders are left out.
/// </summary>
internal static class Wildcard
{
    /// <summary>Whether a text has one of the signs.</summary>
    public static bool IsIn(string text) => text.AsSpan().ContainsAny('*', '?');

    /// <summary>The files that match, sorted by name.</summary>
    public static IReadOnlyList<string> Find(string pattern)
    {
        string root = Path.GetPathRoot(pattern) ?? string.Empty;
        var parts = pattern[root.Length..].Split(
            [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
        return [.. Find(root, parts).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>What the only asterisk in the name of a pattern stands for in a file that matches; null without one.</summary>
    public static string? Varying(string pattern, string path)
    {
        string[] parts = Path.GetFileName(pattern).Split('*');
        string name = Path.GetFileName(path);
        return parts.Length == 2 ? name[parts[0].Length..^parts[1].Length] : null;
    }

    private static IEnumerable<string> Find(string folder, ReadOnlyMemory<string> parts)
    {
        string part = parts.Span[0];
        var rest = parts[1..];
        if (rest.Length == 0)
            return Entries(folder, part, Directory.EnumerateFiles);
        if (part == "**")
        {
            return Find(folder, rest).Concat(
                Entries(folder, "*", Directory.EnumerateDirectories).SelectMany(inner => Find(inner, parts)));
        }
        if (IsIn(part))
            return Entries(folder, part, Directory.EnumerateDirectories).SelectMany(inner => Find(inner, rest));
        return Find(Path.Combine(folder, part), rest);
    }

    private static IEnumerable<string> Entries(
        string folder, string pattern, Func<string, IEnumerable<string>> enumerate)
    {
        string searched = folder.Length == 0 ? "." : folder;
        if (!Directory.Exists(searched))
            return [];
        return enumerate(searched)
            .Select(path => Path.GetFileName(path))
            .Where(name => (pattern[0] == '.' || name[0] != '.')
                && FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: !OperatingSystem.IsLinux()))
            .Select(name => Path.Combine(folder, name));
    }
}

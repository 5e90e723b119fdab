using System.Text;

namespace SapaGpu.Cli.Images;

/// <summary>
/// A file that is written under a temporary name in the same folder and renamed when it is complete, so that no
/// incomplete file is ever visible. Created before a long computation, it also shows early whether the folder is
/// writable. What goes to standard output or a pipe of the shell is written to a temporary file first, too.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    /// <summary>The most bytes that file systems allow in a name.</summary>
    private const int LongestName = 255;

    private static readonly string[] StandardOutputNames = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

    private readonly string path;
    private readonly bool isStream;

    /// <summary>Creates the temporary file.</summary>
    /// <param name="path">The file; "-" is standard output.</param>
    /// <param name="extension">The extension of the temporary file.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public OutputFile(string path, string extension)
    {
        isStream = IsStream(path);
        this.path = isStream ? path : Path.GetFullPath(path);
        string folder = isStream ? Path.GetTempPath() : Path.GetDirectoryName(this.path) ?? string.Empty;
        if (Directory.Exists(this.path))
            throw new IOException($"{path}: this is a folder; name a file in it.");
        if (!Directory.Exists(folder))
            throw new IOException($"{path}: the folder {folder} does not exist; create it first.");
        if (!isStream && !OperatingSystem.IsWindows() && Encoding.UTF8.GetByteCount(Path.GetFileName(this.path)) > LongestName)
            throw new IOException($"{path}: the name has more than {LongestName} bytes; choose a shorter one.");
        // Short whatever the name of the file, which may be as long as names can be.
        TemporaryPath = Path.Combine(folder, $".{Tool.Name}-{Path.GetRandomFileName()}{extension}");
        try
        {
            File.Create(TemporaryPath).Dispose();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException($"{path}: the folder {folder} is not writable; choose another.", e);
        }
    }

    /// <summary>The temporary file to write to.</summary>
    public string TemporaryPath { get; }

    /// <summary>Whether a name means standard output.</summary>
    public static bool IsStandardOutput(string path) => StandardOutputNames.Contains(path);

    /// <summary>Whether bytes go through a name and do not stay there: standard output, a device or a pipe of the shell.</summary>
    public static bool IsStream(string path) =>
        IsStandardOutput(path) || path.StartsWith("/dev/", StringComparison.Ordinal);

    /// <summary>Renames the complete file to its final name.</summary>
    public void Commit()
    {
        if (!isStream)
        {
            File.Move(TemporaryPath, path, overwrite: true);
            return;
        }
        using var complete = File.OpenRead(TemporaryPath);
        using var stream = IsStandardOutput(path)
            ? Console.OpenStandardOutput()
            : new FileStream(path, FileMode.Open, FileAccess.Write);
        complete.CopyTo(stream);
    }

    /// <summary>Deletes the temporary file, unless it was renamed.</summary>
    public void Dispose() => File.Delete(TemporaryPath);
}

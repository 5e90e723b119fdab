namespace SapaGpu.Cli.Images;

/// <summary>
/// A file that is written beside its place and moved there when it is complete, so that nobody ever sees half a file.
/// Opened before a long computation, it also tells early whether the place can be written.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string path;

    /// <summary>Makes sure that a file can be written.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    public OutputFile(string path)
    {
        this.path = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(this.path) ?? string.Empty;
        if (Directory.Exists(this.path))
            throw new IOException($"{path}: this is a folder; name a file.");
        if (!Directory.Exists(folder))
            throw new IOException($"{path}: there is no folder {folder}; make it first.");
        TemporaryPath = Path.Combine(
            folder, $".{Path.GetFileNameWithoutExtension(path)}-{Path.GetRandomFileName()}{Path.GetExtension(path)}");
        try
        {
            File.Create(TemporaryPath).Dispose();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IOException($"{path}: nothing can be written to the folder {folder}; name another.", e);
        }
    }

    /// <summary>Where to write meanwhile.</summary>
    public string TemporaryPath { get; }

    /// <summary>Puts the complete file in its place.</summary>
    public void Commit() => File.Move(TemporaryPath, path, overwrite: true);

    /// <summary>Removes what was written, unless it was put in its place.</summary>
    public void Dispose() => File.Delete(TemporaryPath);
}

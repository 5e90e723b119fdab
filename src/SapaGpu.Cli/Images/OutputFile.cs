namespace SapaGpu.Cli.Images;

/// <summary>
/// A file that is written under a temporary name in the same folder and renamed when it is complete, so that no
/// incomplete file is ever visible. Created before a long computation, it also shows early whether the folder is
/// writable.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string path;

    /// <summary>Creates the temporary file.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public OutputFile(string path)
    {
        this.path = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(this.path) ?? string.Empty;
        if (Directory.Exists(this.path))
            throw new IOException($"{path}: this is a folder; name a file in it.");
        if (!Directory.Exists(folder))
            throw new IOException($"{path}: the folder {folder} does not exist; create it first.");
        TemporaryPath = Path.Combine(
            folder, $".{Path.GetFileNameWithoutExtension(path)}-{Path.GetRandomFileName()}{Path.GetExtension(path)}");
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

    /// <summary>Renames the complete file to its final name.</summary>
    public void Commit() => File.Move(TemporaryPath, path, overwrite: true);

    /// <summary>Deletes the temporary file, unless it was renamed.</summary>
    public void Dispose() => File.Delete(TemporaryPath);
}

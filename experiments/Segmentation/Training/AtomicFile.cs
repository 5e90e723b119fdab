namespace SapaGpu.Segmentation;

/// <summary>Writes files that are there completely or not at all, whenever the program is stopped.</summary>
internal static class AtomicFile
{
    /// <summary>Writes a file beside its place, and moves it there when it is on the disk.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        string unfinished = $"{path}.unfinished";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var stream = File.Create(unfinished))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path, overwrite: true);
    }
}

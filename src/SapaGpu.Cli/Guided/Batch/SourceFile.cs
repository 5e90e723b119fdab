namespace SapaGpu.Cli.Guided.Batch;

/// <summary>A file that an option names, alone or among others.</summary>
/// <param name="Path">The file.</param>
/// <param name="Number">The number in its name, if the option is a frame pattern.</param>
internal sealed record SourceFile(string Path, long? Number)
{
    /// <summary>The name without folder and extension, by which photos and maps belong together.</summary>
    public string Stem => System.IO.Path.GetFileNameWithoutExtension(Path);
}

namespace SapaGpu.Cli.Guided.Batch;

/// <summary>A file that an option names, alone or among others.</summary>
/// <param name="Path">The file.</param>
internal sealed record SourceFile(string Path)
{
    /// <summary>The number in its name, if the option is a frame pattern.</summary>
    public long? Number { get; init; }

    /// <summary>What the asterisk of a pattern stands for; null if the name of the pattern has not exactly one.</summary>
    public string? Varying { get; init; }

    /// <summary>The name without folder and extension, by which photos and maps belong together.</summary>
    public string Stem => System.IO.Path.GetFileNameWithoutExtension(Path);
}

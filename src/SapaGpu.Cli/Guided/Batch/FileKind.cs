namespace SapaGpu.Cli.Guided.Batch;

/// <summary>What a folder is searched for.</summary>
internal enum FileKind
{
    /// <summary>Images.</summary>
    Photos,

    /// <summary>Images and arrays.</summary>
    Maps,

    /// <summary>Arrays.</summary>
    Arrays,
}

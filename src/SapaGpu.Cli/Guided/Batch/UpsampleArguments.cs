namespace SapaGpu.Cli.Guided.Batch;

/// <summary>The arguments of the command before files are looked for.</summary>
internal sealed record UpsampleArguments
{
    /// <summary>What is the same for all maps.</summary>
    public required UpsampleRequest Template { get; init; }

    /// <summary>The photos: files, folders, patterns.</summary>
    public required IReadOnlyList<string> Guides { get; init; }

    /// <summary>The maps.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>The true maps; empty without them.</summary>
    public IReadOnlyList<string> Truths { get; init; } = [];

    /// <summary>The result: a file, a folder, a pattern.</summary>
    public required string Output { get; init; }

    /// <summary>The figure; null for none.</summary>
    public string? Figure { get; init; }

    /// <summary>Whether maps are left out whose results are there.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether the report is JSON.</summary>
    public bool Json { get; init; }

    /// <summary>Whether there is no report.</summary>
    public bool Quiet { get; init; }
}

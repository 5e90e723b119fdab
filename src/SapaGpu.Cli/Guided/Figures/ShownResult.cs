namespace SapaGpu.Cli.Guided.Figures;

/// <summary>A result in a figure.</summary>
/// <param name="Title">What it is of, in a word.</param>
/// <param name="Map">The result at the size of the photo, in the units that are painted.</param>
internal sealed record ShownResult(string Title, Raster Map)
{
    /// <summary>The lines above the whole map.</summary>
    public IReadOnlyList<string> Caption { get; init; } = [Title];
}

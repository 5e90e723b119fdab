namespace SapaGpu.Cli.Guided.Figures;

/// <summary>A picture with lines of text above it.</summary>
internal sealed record Panel(IReadOnlyList<string> Caption, Photo Picture);

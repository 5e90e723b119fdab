namespace SapaGpu.Cli.Guided.Batch;

/// <summary>A map that was not upsampled.</summary>
/// <param name="Input">The map.</param>
/// <param name="Error">Why, in one line that names the files.</param>
internal sealed record UpsampleFailure(string Input, string Error);

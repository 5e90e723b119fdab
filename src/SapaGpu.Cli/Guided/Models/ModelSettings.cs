namespace SapaGpu.Cli.Guided.Models;

/// <summary>A model as it runs, for reports.</summary>
/// <param name="Checkpoint">The file of its parameters.</param>
/// <param name="Dtype">The element type.</param>
/// <param name="Channels">The channels of queries and keys.</param>
/// <param name="Heads">The heads of the attention.</param>
/// <param name="Window">The width of NAF's window in cells.</param>
/// <param name="WindowRatio">The part of the map that AnyUp sees on either side; 0 for all of it.</param>
internal sealed record ModelSettings(
    string Checkpoint, string Dtype, int Channels, int Heads, int? Window, double? WindowRatio);

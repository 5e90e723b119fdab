namespace SapaGpu.Cli.Commands;

/// <summary>A module that <c>sapagpu export</c> writes.</summary>
/// <param name="Kind">Its class.</param>
/// <param name="Similarity">That of a <see cref="SapaUpsampler{T}"/>.</param>
internal sealed record ExportedModule(ModuleKind Kind, Similarity Similarity = default);

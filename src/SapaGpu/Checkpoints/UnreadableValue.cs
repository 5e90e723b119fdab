namespace SapaGpu.Checkpoints;

/// <summary>What a checkpoint has under a name instead of a tensor that can be read.</summary>
/// <param name="Description">What it is, for error messages.</param>
/// <param name="IsTensor">Whether it is a tensor, of a type or a layout that is not read.</param>
internal sealed record UnreadableValue(string Description, bool IsTensor);

namespace SapaGpu.Fuzz.Running;

/// <summary>Something that a campaign promises does not hold.</summary>
internal sealed class FuzzFailureException(string message) : Exception(message);

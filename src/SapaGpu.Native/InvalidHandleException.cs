namespace SapaGpu.Native;

/// <summary>A handle of the caller is not open, or of something else.</summary>
internal sealed class InvalidHandleException(string message) : Exception(message);

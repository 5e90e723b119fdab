namespace SapaGpu.Fuzz.Running;

/// <summary>What the program returns.</summary>
internal static class ExitCodes
{
    public const int Success = 0;
    public const int Failure = 1;

    /// <summary>A case did not end, and the process that ran it ended instead.</summary>
    public const int Hang = 3;
}

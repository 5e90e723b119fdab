namespace SapaGpu.Cli;

/// <summary>The exit codes of the tool.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;
    public const int NoDevice = 3;

    /// <summary>What they mean, for the help.</summary>
    public static readonly (int Code, string Meaning)[] Meanings =
    [
        (Success, "success"), (Failure, "failure"), (Usage, "wrong usage"), (NoDevice, "device not available"),
    ];

    /// <summary>The exit code of a run that an exception ended.</summary>
    public static int Of(Exception e) => ErrorText.Cause(e) switch
    {
        DeviceUnavailableException => NoDevice,
        ArgumentException => Usage,
        _ => Failure,
    };
}

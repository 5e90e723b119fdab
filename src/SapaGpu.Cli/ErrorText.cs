namespace SapaGpu.Cli;

/// <summary>Messages of exceptions as the tool prints them.</summary>
internal static class ErrorText
{
    /// <summary>
    /// The message in one line, without the name of a parameter that no user knows; of exceptions that nobody expects, with
    /// their type.
    /// </summary>
    public static string Of(Exception e)
    {
        var cause = Cause(e);
        string message = cause.Message;
        if (cause is ArgumentException { ParamName: { } name })
        {
            message = message.Replace($" (Parameter '{name}')", null, StringComparison.Ordinal);
            if (cause is ArgumentOutOfRangeException { ActualValue: not null } && message.LastIndexOf('\n') is > 0 and var end)
                message = message[..end].TrimEnd();
        }
        return cause switch
        {
            OutOfMemoryException and not InsufficientMemoryException =>
                "there is not enough memory; use a smaller photo or map, or fewer channels at a time.",
            ArgumentException or IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException
                or InsufficientMemoryException or DeviceUnavailableException or StateMismatchException => message,
            _ => $"{cause.GetType().Name}: {message}",
        };
    }

    /// <summary>The exception that tells the cause, where another only says where it was caught.</summary>
    public static Exception Cause(Exception e) =>
        e is AggregateException or TypeInitializationException && e.InnerException is { } inner ? Cause(inner) : e;
}

namespace SapaGpu.Cli;

/// <summary>Messages of exceptions as the tool prints them.</summary>
internal static class ErrorText
{
    /// <summary>The message, without the name of a parameter that no user knows.</summary>
    public static string Of(Exception e) => e is ArgumentException { ParamName: { } name }
        ? e.Message.Replace($" (Parameter '{name}')", null)
        : e.Message;
}

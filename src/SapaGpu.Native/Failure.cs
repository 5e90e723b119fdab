using System.Text;

namespace SapaGpu.Native;

/// <summary>Turns exceptions into a status and the text of the thread's last error.</summary>
internal static unsafe class Failure
{
    private static delegate* unmanaged[Cdecl]<byte*, void> setError;

    public static void Initialise(delegate* unmanaged[Cdecl]<byte*, void> setter) => setError = setter;

    public static int Report(Exception exception)
    {
        byte[] text = Encoding.UTF8.GetBytes(TextOf(exception) + '\0');
        fixed (byte* first = text)
            setError(first);
        return (int)StatusOf(exception);
    }

    private static NativeStatus StatusOf(Exception exception) => exception switch
    {
        InvalidHandleException => NativeStatus.InvalidHandle,
        DeviceUnavailableException => NativeStatus.DeviceUnavailable,
        InsufficientMemoryException or OutOfMemoryException => NativeStatus.OutOfMemory,
        ObjectDisposedException => NativeStatus.Closed,
        ArgumentException => NativeStatus.InvalidArgument,
        NotSupportedException => NativeStatus.NotSupported,
        StateMismatchException or InvalidDataException or IOException or UnauthorizedAccessException =>
            NativeStatus.FileError,
        _ => NativeStatus.InternalError,
    };

    // .NET adds the parameter's name, which means nothing to a caller from C.
    private static string TextOf(Exception exception)
    {
        string text = exception is ArgumentException { ParamName: { Length: > 0 } name }
            ? exception.Message.Replace($" (Parameter '{name}')", string.Empty, StringComparison.Ordinal)
            : exception.Message;
        return StatusOf(exception) == NativeStatus.InternalError ? $"{exception.GetType().Name}: {text}" : text;
    }
}

namespace SapaGpu;

/// <summary>Thrown when the operands of a call are on different devices.</summary>
public sealed class DeviceMismatchException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    public DeviceMismatchException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public DeviceMismatchException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public DeviceMismatchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

namespace SapaGpu;

/// <summary>Thrown when the entries of a <see cref="StateDict"/> do not match the parameters of a module.</summary>
public sealed class StateMismatchException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    public StateMismatchException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public StateMismatchException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public StateMismatchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal StateMismatchException(
        string message,
        StateLoadReport report,
        IReadOnlyList<string> shapeMismatches,
        IReadOnlyList<string> unreadable)
        : base(message)
    {
        Missing = report.Missing;
        Unexpected = report.Unexpected;
        ShapeMismatches = shapeMismatches;
        Unreadable = unreadable;
    }

    /// <summary>Gets the names of parameters of the module that the state_dict does not have.</summary>
    public IReadOnlyList<string> Missing { get; } = [];

    /// <summary>Gets the names of entries of the state_dict that the module does not have.</summary>
    public IReadOnlyList<string> Unexpected { get; } = [];

    /// <summary>Gets the names that both have, but with different shapes.</summary>
    public IReadOnlyList<string> ShapeMismatches { get; } = [];

    /// <summary>
    /// Gets the names of parameters of the module for which the state_dict has something else than numbers: a Python
    /// object, or a tensor of a type that is not read.
    /// </summary>
    public IReadOnlyList<string> Unreadable { get; } = [];
}

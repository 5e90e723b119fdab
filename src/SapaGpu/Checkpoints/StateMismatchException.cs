namespace SapaGpu;

/// <summary>Thrown when the entries of a <see cref="StateDict"/> are not those of a module.</summary>
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

    internal StateMismatchException(string message, StateLoadReport report, IReadOnlyList<string> shapeMismatches)
        : base(message)
    {
        Missing = report.Missing;
        Unexpected = report.Unexpected;
        ShapeMismatches = shapeMismatches;
    }

    /// <summary>Gets the parameters of the module that the state has not.</summary>
    public IReadOnlyList<string> Missing { get; } = [];

    /// <summary>Gets the entries of the state that the module has not.</summary>
    public IReadOnlyList<string> Unexpected { get; } = [];

    /// <summary>Gets the names that both have with different shapes.</summary>
    public IReadOnlyList<string> ShapeMismatches { get; } = [];
}

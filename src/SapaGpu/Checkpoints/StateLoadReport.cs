namespace SapaGpu;

/// <summary>What did not match when a module was given the entries of a <see cref="StateDict"/>.</summary>
/// <param name="Missing">Parameters of the module that the state has not.</param>
/// <param name="Unexpected">Entries of the state that the module has not.</param>
public sealed record StateLoadReport(IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected)
{
    /// <summary>Gets whether everything matched.</summary>
    public bool IsComplete => Missing.Count == 0 && Unexpected.Count == 0;
}

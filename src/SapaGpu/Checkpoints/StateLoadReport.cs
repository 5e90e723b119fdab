using SapaGpu.Checkpoints;

namespace SapaGpu;

/// <summary>The names that did not match when a module loaded a <see cref="StateDict"/>.</summary>
/// <param name="Missing">Names of parameters of the module that the state_dict does not have.</param>
/// <param name="Unexpected">Names of entries of the state_dict that the module does not have.</param>
public sealed record StateLoadReport(IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected)
{
    /// <summary>Gets whether all names matched.</summary>
    public bool IsComplete => Missing.Count == 0 && Unexpected.Count == 0;

    /// <summary>Returns the names, such as "missing: q.bias; unexpected: none".</summary>
    public override string ToString() => $"missing: {Text(Missing)}; unexpected: {Text(Unexpected)}";

    // Names come from a file, which may put anything into them.
    private static string Text(IReadOnlyList<string> names) =>
        names.Count == 0 ? "none" : ShownText.OneLine(string.Join(", ", names));
}

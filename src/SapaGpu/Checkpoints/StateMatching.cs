namespace SapaGpu.Checkpoints;

/// <summary>A parameter that a module expects in a <see cref="StateDict"/>.</summary>
/// <param name="Name">Its name in the state_dict.</param>
/// <param name="Shape">Its dimensions in the state_dict.</param>
internal readonly record struct ExpectedEntry(string Name, IReadOnlyList<int> Shape);

/// <summary>The entries that a module loads, and the names that did not match.</summary>
/// <param name="Entries">The entries by name, in the order in which they were expected.</param>
/// <param name="Report">The names that did not match.</param>
internal sealed record StateMatch(IReadOnlyList<StateEntry> Entries, StateLoadReport Report);

/// <summary>Finds the parameters of a module in a <see cref="StateDict"/>.</summary>
internal static class StateMatching
{
    /// <summary>
    /// Finds every expected entry. Trailing dimensions of 1 are ignored: the weight [O, I] of a linear layer matches
    /// the weight [O, I, 1, 1] of a 1×1 convolution.
    /// </summary>
    /// <param name="expected">The parameters of the module.</param>
    /// <param name="state">The entries of a checkpoint.</param>
    /// <param name="strict">Whether missing and unexpected names are an error; different shapes always are.</param>
    /// <exception cref="StateMismatchException">The names or shapes differ; the message lists all.</exception>
    public static StateMatch Match(IReadOnlyList<ExpectedEntry> expected, StateDict state, bool strict = true)
    {
        var entries = new List<StateEntry>();
        var missing = new List<string>();
        var otherShape = new List<(string Name, string Text)>();
        foreach (var (name, shape) in expected)
        {
            if (!state.TryGetValue(name, out var entry))
                missing.Add(name);
            else if (!SameShape(shape, entry.Shape))
                otherShape.Add((name, $"{name} is {entry.ShapeText} but must be {StateShape.Text(shape)}"));
            else
                entries.Add(entry);
        }
        var names = expected.Select(e => e.Name).ToHashSet(StringComparer.Ordinal);
        var report = new StateLoadReport(missing, [.. state.Keys.Where(name => !names.Contains(name))]);
        if (otherShape.Count > 0 || (strict && !report.IsComplete))
        {
            throw new StateMismatchException(
                Describe(expected, state, report, [.. otherShape.Select(other => other.Text)], strict),
                report,
                [.. otherShape.Select(other => other.Name)]);
        }
        return new StateMatch(entries, report);
    }

    private static bool SameShape(IReadOnlyList<int> left, IReadOnlyList<int> right) =>
        left.Take(Rank(left)).SequenceEqual(right.Take(Rank(right)));

    // The dimensions up to the last that is not 1.
    private static int Rank(IReadOnlyList<int> shape)
    {
        int rank = shape.Count;
        while (rank > 0 && shape[rank - 1] == 1)
            rank--;
        return rank;
    }

    private static string Describe(
        IReadOnlyList<ExpectedEntry> expected,
        StateDict state,
        StateLoadReport report,
        string[] otherShapes,
        bool strict)
    {
        var parts = new List<string>();
        if (report.Missing.Count > 0)
            parts.Add($"missing: {string.Join(", ", report.Missing)}");
        if (report.Unexpected.Count > 0)
            parts.Add($"unexpected: {string.Join(", ", report.Unexpected)}");
        if (otherShapes.Length > 0)
            parts.Add($"different shapes: {string.Join(", ", otherShapes)}");
        string remedy = FindPrefix(expected, state) is { } prefix
            ? $" All parameters exist under the prefix '{prefix}'; load Subset(\"{prefix}\")."
            : strict && otherShapes.Length == 0
                ? " Load another checkpoint or a Subset of it, or load with strict: false to ignore these names."
                : " Load another checkpoint, or create the module with options that fit it.";
        return ShownText.OneLine($"The state_dict does not fit the module; {string.Join("; ", parts)}.{remedy}");
    }

    private static string? FindPrefix(IReadOnlyList<ExpectedEntry> expected, StateDict state)
    {
        if (expected.Count == 0)
            return null;
        string first = expected[0].Name;
        return state.Keys
            .Where(name => name.EndsWith("." + first, StringComparison.Ordinal))
            .Select(name => name[..^first.Length])
            .FirstOrDefault(prefix => expected.All(e => state.ContainsKey(prefix + e.Name)));
    }
}

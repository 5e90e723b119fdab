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
    private const int ShownNames = 5;

    /// <summary>
    /// Finds every expected entry. Trailing dimensions of 1 are ignored: the weight [O, I] of a linear layer matches
    /// the weight [O, I, 1, 1] of a 1×1 convolution.
    /// </summary>
    /// <param name="expected">The parameters of the module.</param>
    /// <param name="state">The entries of a checkpoint.</param>
    /// <param name="strict">
    /// Whether missing and unexpected names are an error; different shapes and what are no numbers always are.
    /// </param>
    /// <exception cref="StateMismatchException">The names or shapes differ; the message lists all.</exception>
    public static StateMatch Match(IReadOnlyList<ExpectedEntry> expected, StateDict state, bool strict = true)
    {
        var entries = new List<StateEntry>();
        var missing = new List<string>();
        var otherShape = new List<(string Name, string Text)>();
        var unreadable = new List<(string Name, string Text)>();
        foreach (var (name, shape) in expected)
        {
            if (state.Unreadable.TryGetValue(name, out var value) && !state.ContainsKey(name))
                unreadable.Add((name, $"{name} is {value.Description}"));
            else if (!state.TryGetValue(name, out var entry))
                missing.Add(name);
            else if (entry.Type == CheckpointType.Other)
                unreadable.Add((name, $"{name} has the type {entry.TypeName}"));
            else if (!SameShape(shape, entry.Shape))
                otherShape.Add((name, $"{name} is {entry.ShapeText} but must be {StateShape.Text(shape)}"));
            else
                entries.Add(entry);
        }
        var names = expected.Select(e => e.Name).ToHashSet(StringComparer.Ordinal);
        var tensors = state.Unreadable.Where(item => item.Value.IsTensor).Select(item => item.Key);
        var report = new StateLoadReport(missing, [.. state.Keys.Concat(tensors).Where(name => !names.Contains(name))]);
        if (otherShape.Count > 0 || unreadable.Count > 0 || (strict && !report.IsComplete))
        {
            throw new StateMismatchException(
                Describe(
                    expected,
                    state,
                    report,
                    [.. otherShape.Select(other => other.Text)],
                    [.. unreadable.Select(other => other.Text)],
                    strict),
                report,
                [.. otherShape.Select(other => other.Name)],
                [.. unreadable.Select(other => other.Name)]);
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
        string[] unreadable,
        bool strict)
    {
        var parts = new List<string>();
        bool isNowhere = state.Prefix.Length > 0 && state.Count == 0 && state.Unreadable.Count == 0;
        if (isNowhere)
            parts.Add($"no name begins with {ShownText.Quoted(state.Prefix)}");
        if (report.Missing.Count > 0)
            parts.Add($"missing: {string.Join(", ", report.Missing)}");
        if (report.Unexpected.Count > 0)
            parts.Add($"unexpected: {string.Join(", ", report.Unexpected)}");
        if (otherShapes.Length > 0)
            parts.Add($"different shapes: {string.Join(", ", otherShapes)}");
        if (unreadable.Length > 0)
            parts.Add($"no numbers that can be read: {string.Join(", ", unreadable)}");
        string remedy = FindPrefixes(expected, state) switch
        {
            [""] => "All parameters exist without a prefix; leave it out.",
            [var prefix] => $"All parameters exist under the prefix '{prefix}'; load with it, or Subset(\"{prefix}\").",
            [_, ..] and var several =>
                $"All parameters exist under each of the prefixes '{string.Join("', '", several)}'; load with one of them.",
            _ when isNowhere && state.Known.Count > 0 => "Names of the checkpoint are " +
                $"{string.Join(", ", state.Known.Take(ShownNames).Select(ShownText.Quoted))}; load with another prefix.",
            _ when unreadable.Length > 0 => "Save these parameters as tensors of float32, or load another checkpoint.",
            _ when strict && otherShapes.Length == 0 =>
                "Load another checkpoint or a Subset of it, or load with strict: false to ignore these names.",
            _ => "Load another checkpoint, or create the module with options that fit it.",
        };
        return ShownText.OneLine($"The state_dict does not fit the module; {string.Join("; ", parts)}. {remedy}");
    }

    // The prefixes, other than the one that was asked for, under which there is everything that is expected.
    private static string[] FindPrefixes(IReadOnlyList<ExpectedEntry> expected, StateDict state)
    {
        if (expected.Count == 0)
            return [];
        string first = expected[0].Name;
        var known = state.Known.ToHashSet(StringComparer.Ordinal);
        return
        [
            .. state.Known
                .Where(name => name == first || name.EndsWith("." + first, StringComparison.Ordinal))
                .Select(name => name[..^first.Length])
                .Where(prefix => prefix != state.Prefix && expected.All(e => known.Contains(prefix + e.Name)))
                .Distinct()
                .Take(ShownNames),
        ];
    }
}

namespace SapaGpu.DeviceBenchmarks;

/// <summary>Rows that several runs measured.</summary>
internal static class MeasuredRuns
{
    /// <summary>Checks that what was measured is one thing.</summary>
    /// <param name="measured">What each run measured, in words.</param>
    /// <param name="verdict">What two are not, and what to give.</param>
    /// <exception cref="InvalidDataException">There are two.</exception>
    public static void CheckSame(IReadOnlyList<string> measured, string verdict)
    {
        if (measured.FirstOrDefault(other => other != measured[^1]) is { } first)
            throw new InvalidDataException($"Measurements of {first} and of {measured[^1]} {verdict}.");
    }

    /// <summary>The rows of all runs in the order in which they first came, each as the last run has it.</summary>
    public static IReadOnlyList<TRow> Join<TRow, TKey>(IEnumerable<IReadOnlyList<TRow>> runs, Func<TRow, TKey> keyOf)
        where TKey : notnull
    {
        var rows = new OrderedDictionary<TKey, TRow>();
        foreach (var row in runs.SelectMany(run => run))
            rows[keyOf(row)] = row;
        return [.. rows.Values];
    }
}

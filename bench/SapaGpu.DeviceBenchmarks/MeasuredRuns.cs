namespace SapaGpu.DeviceBenchmarks;

/// <summary>Rows that several runs measured.</summary>
internal static class MeasuredRuns
{
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

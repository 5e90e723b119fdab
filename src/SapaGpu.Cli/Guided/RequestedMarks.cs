namespace SapaGpu.Cli.Guided;

/// <summary>The values that mark missing ones in a map: all of them are read, the first is written.</summary>
internal sealed class RequestedMarks(IReadOnlyList<double> values)
{
    private readonly float[] marks = [.. values.Select(value => (float)value)];

    /// <summary>The mark that is written; null if missing values are not marked.</summary>
    public float? First => marks.Length == 0 ? null : marks[0];

    /// <summary>The mark that is written, as it was given.</summary>
    public double? FirstAsGiven => values.Count == 0 ? null : values[0];

    /// <summary>Whether a sample is one of the marks, which may be NaN.</summary>
    public bool Include(float sample) => marks.Contains(sample);

    /// <summary>Gives the pixels of which every sample is one of the marks the first mark.</summary>
    public void Unify(Raster map)
    {
        if (marks.Length < 2)
            return;
        for (int i = 0; i < map.Values.Length; i += map.Channels)
        {
            var samples = map.Values.AsSpan(i, map.Channels);
            if (AreMarks(samples))
                samples.Fill(marks[0]);
        }
    }

    private bool AreMarks(ReadOnlySpan<float> samples)
    {
        foreach (float sample in samples)
        {
            if (!Include(sample))
                return false;
        }
        return true;
    }
}

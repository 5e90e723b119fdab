namespace SapaGpu.Guided;

/// <summary>Distinguishes missing values from known ones.</summary>
internal sealed class UnknownMarks(params float[] marks)
{
    /// <summary>What missing pixels get.</summary>
    public float Written => marks.Length > 0 ? marks[0] : float.NaN;

    /// <summary>Whether a cell is unknown: all of its samples are one mark, or one of them is no quantity.</summary>
    public bool Has(ReadOnlySpan<float> samples)
    {
        foreach (float sample in samples)
        {
            if (!float.IsFinite(sample))
                return true;
        }
        foreach (float mark in marks)
        {
            if (!samples.ContainsAnyExcept(mark))
                return true;
        }
        return false;
    }

    /// <summary>Whether a map has unknown cells.</summary>
    public bool IsIn(Raster map)
    {
        for (int i = 0; i < map.Values.Length; i += map.Channels)
        {
            if (Has(map.Values.AsSpan(i, map.Channels)))
                return true;
        }
        return false;
    }
}

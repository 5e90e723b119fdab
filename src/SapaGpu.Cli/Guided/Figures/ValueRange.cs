namespace SapaGpu.Cli.Guided.Figures;

/// <summary>The range of values that is shown from black to white.</summary>
internal sealed record ValueRange(float Low, float High)
{
    /// <summary>The range of the known values of a map.</summary>
    public static ValueRange Of(Raster map, float? unknown)
    {
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        for (int i = 0; i < map.Values.Length; i += map.Channels)
        {
            var samples = map.Values.AsSpan(i, map.Channels);
            if (Unknown.Is(samples, unknown))
                continue;
            foreach (float sample in samples)
            {
                low = Math.Min(low, sample);
                high = Math.Max(high, sample);
            }
        }
        return new ValueRange(low, high);
    }

    /// <summary>Maps a value of the range to the range from 0 to 1.</summary>
    public float Normalise(float value) => High > Low ? (value - Low) / (High - Low) : 0;
}

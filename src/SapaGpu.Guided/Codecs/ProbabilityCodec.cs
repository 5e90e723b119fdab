namespace SapaGpu.Guided;

/// <summary>
/// Maps with a score or probability of every class: probabilities are averaged, which scores cannot be, and the result is
/// the probabilities, or of every pixel the number of the class with the largest.
/// </summary>
/// <param name="map">The map, a channel for every class.</param>
/// <param name="areProbabilities">Whether it holds probabilities; otherwise a softmax makes them.</param>
/// <param name="unknownClass">The class that wins with more than half of the probability only; -1 for none.</param>
/// <param name="decides">Whether the result is the class.</param>
internal sealed class ProbabilityCodec(Raster map, bool areProbabilities, int unknownClass, bool decides) : IMapCodec
{
    public int Height => map.Height;

    public int Width => map.Width;

    public int SampleChannels => decides ? 1 : map.Channels;

    public int CountChannels(Region cells) => map.Channels;

    public EncodedCells Encode(Region cells)
    {
        var values = new float[cells.Count * map.Channels];
        int next = 0;
        for (int row = cells.Row; row < cells.EndRow; row++)
        {
            for (int column = cells.Column; column < cells.EndColumn; column++, next += map.Channels)
            {
                var probabilities = values.AsSpan(next, map.Channels);
                map.PixelAt(row, column).CopyTo(probabilities);
                if (!areProbabilities)
                    Softmax(probabilities);
            }
        }
        return new EncodedCells(map.Channels, values, []);
    }

    public void Decode(EncodedCells encoded, PixelBlock pixels, ReadOnlySpan<float> averages, Span<float> samples)
    {
        if (!decides)
        {
            averages.CopyTo(samples);
            return;
        }
        for (int i = 0; i < samples.Length; i++)
            samples[i] = ClassDecision.Winner(averages.Slice(i * map.Channels, map.Channels), unknownClass);
    }

    // A score of -infinity is a probability of 0.
    private static void Softmax(Span<float> scores)
    {
        float largest = float.NegativeInfinity;
        foreach (float score in scores)
            largest = Math.Max(largest, score);
        float sum = 0;
        foreach (ref float score in scores)
        {
            score = MathF.Exp(score - largest);
            sum += score;
        }
        foreach (ref float score in scores)
            score /= sum;
    }
}

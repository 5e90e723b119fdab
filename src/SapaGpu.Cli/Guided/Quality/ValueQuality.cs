namespace SapaGpu.Cli.Guided.Quality;

/// <summary>
/// Quantities: the mean absolute error in the units of the samples, over the pixels that are known in the truth and in
/// every result, and the fraction of the truth's known pixels that a result leaves unknown.
/// </summary>
internal sealed class ValueQuality(Raster truth, float? unknown) : QualityMeasure
{
    public override IReadOnlyList<QualityFigure> Figures { get; } = unknown is null
        ? [new("Mean absolute error", "0.0000")]
        : [new("Mean absolute error", "0.0000"), new("Left unknown", "0.00 %")];

    public override IReadOnlyList<double[]> Measure(IReadOnlyList<Raster> results)
    {
        var known = KnownPixels(truth);
        var knownByMethod = results.Select(KnownPixels).ToList();
        var scored = (bool[])known.Clone();
        foreach (var mask in knownByMethod)
        {
            for (int i = 0; i < scored.Length; i++)
                scored[i] &= mask[i];
        }
        return
        [
            .. results.Zip(knownByMethod, (result, mask) => unknown is null
                ? new[] { MeanAbsoluteError(result, scored) }
                : [MeanAbsoluteError(result, scored), ShareMissing(known, mask)]),
        ];
    }

    private static double ShareMissing(bool[] known, bool[] found)
    {
        long missing = 0, all = 0;
        for (int i = 0; i < known.Length; i++)
        {
            all += known[i] ? 1 : 0;
            missing += known[i] && !found[i] ? 1 : 0;
        }
        return all == 0 ? 0 : (double)missing / all;
    }

    private bool[] KnownPixels(Raster raster)
    {
        var known = new bool[(long)raster.Height * raster.Width];
        for (int i = 0; i < known.Length; i++)
            known[i] = !Unknown.Is(raster.Values.AsSpan(i * raster.Channels, raster.Channels), unknown);
        return known;
    }

    private double MeanAbsoluteError(Raster result, bool[] scored)
    {
        double sum = 0;
        long count = 0;
        for (int i = 0; i < scored.Length; i++)
        {
            if (!scored[i])
                continue;
            for (int c = 0; c < truth.Channels; c++)
                sum += Math.Abs((double)result.Values[i * truth.Channels + c] - truth.Values[i * truth.Channels + c]);
            count += truth.Channels;
        }
        return count == 0 ? 0 : sum / count;
    }
}

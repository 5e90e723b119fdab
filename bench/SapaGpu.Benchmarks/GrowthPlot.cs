using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace SapaGpu.Benchmarks;

/// <summary>The times of an operator for growing maps.</summary>
/// <param name="Name">The name in the legend.</param>
/// <param name="Seconds">The times.</param>
/// <param name="IsPeer">Whether it is libtorch's.</param>
internal sealed record GrowthSeries(string Name, IReadOnlyList<double> Seconds, bool IsPeer);

/// <summary>Draws time against size, both by powers.</summary>
internal static class GrowthPlot
{
    private const int Width = 900;
    private const int Height = 560;
    private const float LineWidth = 2.5f;
    private const float MarkerSize = 8;

    /// <summary>Draws into a PNG file.</summary>
    public static void Save(string path, IReadOnlyList<int> sizes, IReadOnlyList<GrowthSeries> series)
    {
        using var plot = new Plot();
        foreach (var line in series)
            Draw(plot, sizes, line);
        plot.Axes.Bottom.TickGenerator = new NumericManual(
            [.. sizes.Select(Position)], [.. sizes.Select(size => $"{size}x{size}")]);
        plot.Axes.Left.TickGenerator = new NumericAutomatic
        {
            IntegerTicksOnly = true,
            MinorTickGenerator = new LogMinorTickGenerator(),
            LabelFormatter = exponent => Math.Pow(10, exponent).ToString("g3", CultureInfo.InvariantCulture),
        };
        plot.XLabel("decoder cells");
        plot.YLabel("milliseconds");
        plot.Title("Forward, single precision, C64, K5, ratio 2, all threads");
        plot.Legend.Alignment = Alignment.UpperLeft;
        plot.ShowLegend();
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
            Directory.CreateDirectory(folder);
        plot.SavePng(path, Width, Height);
    }

    private static void Draw(Plot plot, IReadOnlyList<int> sizes, GrowthSeries series)
    {
        var measured = sizes.Zip(series.Seconds).Where(point => !double.IsNaN(point.Second)).ToArray();
        var line = plot.Add.Scatter(
            measured.Select(point => Position(point.First)).ToArray(),
            measured.Select(point => Math.Log10(point.Second * 1e3)).ToArray());
        line.LegendText = series.Name;
        line.LineWidth = LineWidth;
        line.MarkerSize = MarkerSize;
        line.LinePattern = series.IsPeer ? LinePattern.Dashed : LinePattern.Solid;
    }

    private static double Position(int size) => Math.Log10((double)size * size);
}

using ScottPlot;
using ScottPlot.MultiplotLayouts;
using ScottPlot.TickGenerators;

namespace SapaGpu.Segmentation;

/// <summary>Draws results.</summary>
internal static class ResultPlots
{
    private const int ScoreWidth = 1200;
    private const int LossWidth = 800;
    private const int Height = 480;
    private const float MarkerSize = 10;
    private const float LineWidth = 2;
    private const float LabelAngle = -45;
    private const int LabelSpace = 90;

    /// <summary>Draws a point for every operator, with the standard deviation over its runs, into a PNG file.</summary>
    public static void SaveScores(string path, ResultGroup group)
    {
        var plots = new Multiplot();
        plots.AddPlots(ScoreMeasure.All.Count);
        plots.Layout = new Columns();
        for (int i = 0; i < ScoreMeasure.All.Count; i++)
            DrawScores(plots.GetPlot(i), group.Operators, ScoreMeasure.All[i]);
        plots.SavePng(path, ScoreWidth, Height);
    }

    /// <summary>Draws the loss of every operator by epoch, means over its runs, into a PNG file.</summary>
    public static void SaveLosses(string path, ResultGroup group)
    {
        using var plot = new Plot();
        foreach (var results in group.Operators)
        {
            var losses = results.Losses;
            var line = plot.Add.Scatter([.. losses.Select((_, epoch) => epoch + 1.0)], losses.ToArray());
            line.LegendText = results.Operator.Title();
            line.LineWidth = LineWidth;
            line.MarkerSize = 0;
        }
        plot.Title(group.Name);
        plot.XLabel("epoch");
        plot.YLabel("training loss");
        plot.Legend.Alignment = Alignment.UpperRight;
        plot.ShowLegend();
        plot.SavePng(path, LossWidth, Height);
    }

    private static void DrawScores(Plot plot, IReadOnlyList<OperatorResults> operators, ScoreMeasure measure)
    {
        double[] places = [.. operators.Select((_, i) => (double)i)];
        double[] means = [.. operators.Select(results => results.Mean(measure.Of))];
        double[] deviations = [.. operators.Select(results => results.Deviation(measure.Of))];
        var points = plot.Add.ScatterPoints(places, means);
        points.MarkerSize = MarkerSize;
        plot.Add.ErrorBar(places, means, deviations).Color = points.Color;
        plot.Axes.Bottom.TickGenerator = new NumericManual(
            places, [.. operators.Select(results => results.Operator.Title())]);
        plot.Axes.Bottom.TickLabelStyle.Rotation = LabelAngle;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
        plot.Axes.Bottom.MinimumSize = LabelSpace;
        plot.Axes.SetLimitsX(-0.5, operators.Count - 0.5);
        plot.Title(measure.Title);
    }
}

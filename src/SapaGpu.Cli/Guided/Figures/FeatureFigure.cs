using SapaGpu.Cli.Guided.Models;

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>
/// A figure of features: the photo and, by the principal components of the features as they came, those features, bilinear
/// interpolation, and the result of a model.
/// </summary>
internal static class FeatureFigure
{
    private const int Components = 3;

    /// <summary>As many cells as the components are found from; of more, every so many.</summary>
    private const int MostSamples = 4096;

    /// <summary>The part of the values that is darker than black and as much that is lighter than white.</summary>
    private const double Tail = 0.02;

    /// <summary>Draws the figure.</summary>
    public static Photo Draw(FeatureFigureSource source, CancellationToken cancellation)
    {
        var features = source.Features;
        var components = PrincipalComponents.Fit(Samples(features, source.Cells), Components);
        var small = Project(features, source.Cells, components);
        var painter = new ComponentPainter(Ranges(small));
        var upsampled = new ComponentSink(
            components, source.Part.Height, source.Part.Width, features.Format == MemoryFormat.Contiguous);
        source.Upsampled.Read(source.Part, upsampled, _ => { }, cancellation);
        string count = components.Count == 1 ? "Principal component" : $"{components.Count} principal components";
        ShownResult[] results =
        [
            new("Nearest", Interpolate(source, small, InterpolationMode.Nearest))
            {
                Caption = [$"Nearest: the features, {features.SizeText}", $"{count} of {features.Channels} channels"],
            },
            new("Bilinear", Interpolate(source, small, InterpolationMode.Bilinear)),
            new(source.Model, upsampled.ToRaster()),
        ];
        var part = source.Part;
        var photo = Crop.Cut(
            source.Photo.Resize(source.Size.Height, source.Size.Width),
            part == new Region(0, 0, source.Size.Height, source.Size.Width) ? null : part);
        var panels = new FigurePanels(photo, results, painter, new DifferencePainter(areClasses: false, null));
        return ComparisonFigure.Draw(panels.Make(truth: null), panels.Height, panels.Width);
    }

    private static List<double[]> Samples(FeatureArray features, Region cells)
    {
        int step = (int)((cells.Count + MostSamples - 1) / MostSamples);
        var samples = new List<double[]>();
        for (int i = 0; i < cells.Count; i += step)
            samples.Add(SampleAt(features, cells.Row + i / cells.Width, cells.Column + i % cells.Width));
        return samples;
    }

    private static double[] SampleAt(FeatureArray features, int row, int column)
    {
        var sample = new double[features.Channels];
        for (int c = 0; c < sample.Length; c++)
            sample[c] = features.Values[features.IndexOf(c, row, column)];
        return sample;
    }

    private static Raster Project(FeatureArray features, Region cells, PrincipalComponents components)
    {
        var raster = new Raster(cells.Height, cells.Width, components.Count);
        for (int row = 0; row < cells.Height; row++)
        {
            for (int column = 0; column < cells.Width; column++)
            {
                var sample = SampleAt(features, cells.Row + row, cells.Column + column);
                for (int c = 0; c < components.Count; c++)
                    raster.PixelAt(row, column)[c] = (float)(components.Dot(c, sample) - components.Offset(c));
            }
        }
        return raster;
    }

    private static List<ValueRange> Ranges(Raster small)
    {
        var ranges = new List<ValueRange>();
        for (int c = 0; c < small.Channels; c++)
        {
            float[] sorted = [.. small.Values.Where((_, i) => i % small.Channels == c).Order()];
            int tail = (int)(Tail * sorted.Length);
            ranges.Add(new ValueRange(sorted[tail], sorted[^(tail + 1)]));
        }
        return ranges;
    }

    private static Raster Interpolate(FeatureFigureSource source, Raster small, InterpolationMode mode)
    {
        using var map = FeatureMap<float>.From(
            source.Device, new MapShape(1, small.Channels, small.Height, small.Width), small.Values, MemoryFormat.ChannelsLast);
        using var large = SapaGpu.Interpolate.Forward(map, source.Size.Height, source.Size.Width, mode);
        var raster = new Raster(source.Part.Height, source.Part.Width, small.Channels);
        using var part = large.Crop(source.Part.Row, source.Part.Column, source.Part.Height, source.Part.Width);
        part.CopyTo(raster.Values);
        return raster;
    }
}

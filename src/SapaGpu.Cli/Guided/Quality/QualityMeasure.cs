using System.Globalization;

namespace SapaGpu.Cli.Guided.Quality;

/// <summary>Compares results with the truth at full size.</summary>
internal abstract class QualityMeasure
{
    /// <summary>The figures that the measure gives, in order.</summary>
    public abstract IReadOnlyList<QualityFigure> Figures { get; }

    /// <summary>The measure for a kind of map.</summary>
    /// <param name="kind">The kind of map.</param>
    /// <param name="input">The map that was upsampled, whose values the truth shares.</param>
    /// <param name="truth">The true map at full size.</param>
    /// <param name="unknown">The mark of missing values; null if there is none.</param>
    public static QualityMeasure For(MapKind kind, Raster input, Raster truth, float? unknown) => kind switch
    {
        MapKind.Mask => new MaskQuality(input, truth),
        MapKind.Labels => new LabelQuality(new ClassMap(truth), unknown),
        _ => new ValueQuality(truth, unknown),
    };

    /// <summary>
    /// Compares results of several methods; every one gets a number for each of the <see cref="Figures"/>.
    /// </summary>
    public abstract IReadOnlyList<double[]> Measure(IReadOnlyList<Raster> results);
}

/// <summary>A figure of quality.</summary>
/// <param name="Name">Its display name.</param>
/// <param name="Format">Its number format.</param>
internal sealed record QualityFigure(string Name, string Format)
{
    /// <summary>A value of the figure.</summary>
    public string Write(double value) => value.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>A value of the figure with its name.</summary>
    public string Describe(double value) => $"{Name} {Write(value)}";
}

using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Models;

/// <summary>What a command line says about a model; null is what was not given.</summary>
internal sealed record ModelRequest
{
    /// <summary>The model.</summary>
    public required UpsamplingModel Model { get; init; }

    /// <summary>The file of its parameters.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>How the names of its parameters begin.</summary>
    public string Prefix { get; init; } = string.Empty;

    /// <summary>The element type that is computed in.</summary>
    public ElementType ElementType { get; init; } = ElementType.Float32;

    /// <summary>The size of the result; null for that of the photo.</summary>
    public ImageSize? Size { get; init; }

    /// <summary>The size that the photo is brought to first.</summary>
    public ImageSize? GuideSize { get; init; }

    /// <summary>What is done to the samples of the photo.</summary>
    public ImageNormalisation Normalisation { get; init; } = ImageNormalisation.ImageNet;

    /// <summary>The heads of the attention.</summary>
    public int? Heads { get; init; }

    /// <summary>The width of NAF's window in cells.</summary>
    public int? Window { get; init; }

    /// <summary>The part of the map that AnyUp sees on either side.</summary>
    public double? WindowRatio { get; init; }

    /// <summary>The groups of the GroupNorms.</summary>
    public int? NormGroups { get; init; }

    /// <summary>What the GroupNorms add to the variance.</summary>
    public double? Epsilon { get; init; }
}

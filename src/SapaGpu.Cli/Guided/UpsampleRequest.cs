using SapaGpu.Cli.Guided.Models;

namespace SapaGpu.Cli.Guided;

/// <summary>The arguments of the command.</summary>
internal sealed record UpsampleRequest
{
    /// <summary>The photo.</summary>
    public required string Guide { get; init; }

    /// <summary>The map to upsample.</summary>
    public required string Input { get; init; }

    /// <summary>The file of the result.</summary>
    public required string Output { get; init; }

    /// <summary>The upsampling method.</summary>
    public UpsampleMethod Method { get; init; } = UpsampleMethod.Sapa;

    /// <summary>The width of the window; null for the default of the kind of map.</summary>
    public int? Window { get; init; }

    /// <summary>The standard deviation over colours; null for the default of the kind of map.</summary>
    public double? ColourSigma { get; init; }

    /// <summary>The standard deviation over positions; null for the default of the kind of map.</summary>
    public double? SpaceSigma { get; init; }

    /// <summary>The kind of map; null to find it out.</summary>
    public MapKind? Kind { get; init; }

    /// <summary>Whether the values of the map are classes.</summary>
    public bool Labels => Kind == MapKind.Labels;

    /// <summary>Whether the class of every pixel is wanted of scores, not the probabilities.</summary>
    public bool Argmax { get; init; }

    /// <summary>Whether scores are said to be probabilities already.</summary>
    public bool AreProbabilities { get; init; }

    /// <summary>The share of the range of a mask from which on a pixel belongs to the object; null for no decision.</summary>
    public double? Threshold { get; init; }

    /// <summary>Whether more is done than the means of the kernel.</summary>
    public bool Refine { get; init; } = true;

    /// <summary>Whether missing cells are filled.</summary>
    public bool Fill { get; init; }

    /// <summary>The part of the photo that the map covers; null for all of it.</summary>
    public Region? Crop { get; init; }

    /// <summary>Where the photo lies in a map that was padded; null if it was not.</summary>
    public Letterbox? Letterbox { get; init; }

    /// <summary>The values that mark missing values; empty if there are none.</summary>
    public IReadOnlyList<double> Unknown { get; init; } = [];

    /// <summary>The order of the dimensions of arrays with three; null to guess it.</summary>
    public ArrayLayout? Layout { get; init; }

    /// <summary>The device; null for the best one.</summary>
    public string? Device { get; init; }

    /// <summary>Whether anything is computed on a device.</summary>
    public bool NeedsDevice => Model is not null || Method == UpsampleMethod.Sapa || Truth is not null || Figure is not null;

    /// <summary>The trained model that upsamples features in place of a method; null for none.</summary>
    public ModelRequest? Model { get; init; }

    /// <summary>The file of an image that compares the methods; null for none.</summary>
    public string? Figure { get; init; }

    /// <summary>The true map at full size, to measure errors; null if it is not known.</summary>
    public string? Truth { get; init; }
}

namespace SapaGpu.Cli.Guided;

/// <summary>What the command was asked for.</summary>
internal sealed record UpsampleRequest
{
    /// <summary>The photo.</summary>
    public required string Guide { get; init; }

    /// <summary>The map to upsample.</summary>
    public required string Input { get; init; }

    /// <summary>Where the result goes.</summary>
    public required string Output { get; init; }

    /// <summary>How to upsample.</summary>
    public UpsampleMethod Method { get; init; } = UpsampleMethod.Sapa;

    /// <summary>The width of the window; null for the default of the kind of map.</summary>
    public int? Window { get; init; }

    /// <summary>The spread over colours; null for the default of the kind of map.</summary>
    public double? ColourSigma { get; init; }

    /// <summary>The spread over positions; null for the default of the kind of map.</summary>
    public double? SpaceSigma { get; init; }

    /// <summary>Whether the values of the map are classes.</summary>
    public bool Labels { get; init; }

    /// <summary>The value that marks missing ones; null if there is none.</summary>
    public float? Unknown { get; init; }

    /// <summary>The order of the dimensions of arrays of three; null to find it out.</summary>
    public ArrayLayout? Layout { get; init; }

    /// <summary>The device; null for the best one.</summary>
    public string? Device { get; init; }

    /// <summary>Where a picture that compares the methods goes; null for none.</summary>
    public string? Figure { get; init; }

    /// <summary>The map at full size, to measure errors by; null if it is not known.</summary>
    public string? Truth { get; init; }
}

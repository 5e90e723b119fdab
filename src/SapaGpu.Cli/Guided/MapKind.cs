namespace SapaGpu.Cli.Guided;

/// <summary>What a map shows, on which the best kernel depends.</summary>
internal enum MapKind
{
    /// <summary>One channel of two values: an object and what is around it.</summary>
    Mask,

    /// <summary>Classes, of which every pixel has one.</summary>
    Labels,

    /// <summary>A quantity that is missing in places: depth, disparity, flow.</summary>
    Depth,

    /// <summary>Anything else: images, probabilities, features.</summary>
    Image,
}

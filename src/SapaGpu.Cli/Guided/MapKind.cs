namespace SapaGpu.Cli.Guided;

/// <summary>The kind of a map, on which the default kernel depends.</summary>
internal enum MapKind
{
    /// <summary>One channel of two values: an object and what is around it.</summary>
    Mask,

    /// <summary>Class labels, one per pixel.</summary>
    Labels,

    /// <summary>A quantity that is missing in places: depth, disparity, flow.</summary>
    Depth,

    /// <summary>Anything else: images, probabilities, features.</summary>
    Image,
}

namespace SapaGpu.Guided;

/// <summary>What the values of a map are, on which the default kernel and the way of averaging depend.</summary>
public enum MapKind
{
    /// <summary>An object and what is around it: two values, or opacities between them.</summary>
    Mask,

    /// <summary>Class labels: every pixel gets one of the values of the map, never a mixture.</summary>
    Labels,

    /// <summary>A quantity that may be missing in places: depth, disparity, flow.</summary>
    Depth,

    /// <summary>Colours or brightness.</summary>
    Image,

    /// <summary>Features of a network, any number of channels.</summary>
    Features,

    /// <summary>A score or probability of every class in a channel of its own.</summary>
    Logits,
}

namespace SapaGpu;

/// <summary>How features are normalised before they are projected or compared.</summary>
public enum FeatureNormKind
{
    /// <summary>No normalisation; projections are 1×1 convolutions.</summary>
    None,

    /// <summary>LayerNorm over the channels of each pixel; projections are linear layers, [O, I].</summary>
    Layer,

    /// <summary>GroupNorm over groups of channels of the whole image; projections are 1×1 convolutions.</summary>
    Group,
}

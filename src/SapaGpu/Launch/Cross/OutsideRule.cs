namespace SapaGpu.Launch;

/// <summary>What taps outside the map are.</summary>
internal enum OutsideRule
{
    /// <summary>There are none.</summary>
    None,

    /// <summary>They have score 0 and value 0.</summary>
    Zero,

    /// <summary>They repeat the nearest cell.</summary>
    Repeated,
}

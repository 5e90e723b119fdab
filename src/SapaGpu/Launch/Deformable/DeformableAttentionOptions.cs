namespace SapaGpu;

/// <summary>Options of deformable attention.</summary>
public sealed record DeformableAttentionOptions
{
    /// <summary>Gets G, the number of groups of channels; every group has its own sampling points.</summary>
    public int Groups { get; init; } = 4;

    /// <summary>Gets P, the number of sampling points per query and group.</summary>
    public int Points { get; init; } = 9;

    /// <summary>Deconstructs the options.</summary>
    internal void Deconstruct(out int groups, out int points) => (groups, points) = (Groups, Points);
}

namespace SapaGpu;

/// <summary>The choices of deformable attention.</summary>
public sealed record DeformableAttentionOptions
{
    /// <summary>Gets G, the groups that channels are divided into; each has points of its own.</summary>
    public int Groups { get; init; } = 4;

    /// <summary>Gets P, the points of a group.</summary>
    public int Points { get; init; } = 9;

    /// <summary>Takes the options apart.</summary>
    internal void Deconstruct(out int groups, out int points) => (groups, points) = (Groups, Points);
}

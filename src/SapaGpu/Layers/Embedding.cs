namespace SapaGpu.Layers;

/// <summary>What an <see cref="Embedder"/> made of a map.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Normalised">
/// The normalised map, or the map itself; null where the projection normalises on its way.
/// </param>
/// <param name="OwnsNormalised">Whether the normalised map is a map of its own.</param>
/// <param name="Values">The projection; null where there is none.</param>
/// <param name="Statistics">What the backward of the normalisation needs; null where there is none.</param>
internal sealed record Embedding<T>(
    FeatureMap<T>? Normalised, bool OwnsNormalised, FeatureMap<T>? Values, FeatureMap? Statistics)
    : IDisposable
    where T : unmanaged
{
    public void Dispose()
    {
        if (OwnsNormalised)
            Normalised!.Dispose();
        Values?.Dispose();
        Statistics?.Dispose();
    }
}

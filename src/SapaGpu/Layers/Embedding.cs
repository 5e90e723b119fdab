namespace SapaGpu.Layers;

/// <summary>The result of an <see cref="Embedder"/>.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Normalised">
/// The normalised map, or the input itself without normalisation; null if the projection kernel normalises.
/// </param>
/// <param name="OwnsNormalised">Whether the normalised map is a separate map that is disposed with this one.</param>
/// <param name="Values">The projection; null if there is none.</param>
/// <param name="Statistics">The statistics of the normalisation, for its backward; null if there is none.</param>
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

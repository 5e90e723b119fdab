using SapaGpu.Modules;

namespace SapaGpu;

/// <summary>
/// What the backward of a <see cref="CarafeUpsampler{T}"/> needs from the forward. The context owns the intermediate
/// maps; it only refers to the features, which must not be changed or disposed before the backward.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class CarafeContext<T> : IDisposable
    where T : unmanaged
{
    private readonly Lifetime lifetime;

    internal CarafeContext() => lifetime = new Lifetime(Release);

    internal CarafeUpsampler<T> Module { get; init; } = null!;

    internal FeatureMap<T> Features { get; init; } = null!;

    internal FeatureMap Wide { get; init; } = null!;

    internal FeatureMap Compressed { get; init; } = null!;

    internal FeatureMap Scores { get; init; } = null!;

    internal FeatureMap<T> Masks { get; init; } = null!;

    /// <summary>
    /// Disposes the intermediate maps, after the last call that is under way; the features stay with the caller.
    /// </summary>
    public void Dispose() => lifetime.Dispose();

    /// <summary>Keeps the intermediate maps until the use is disposed.</summary>
    internal Lifetime.HeldLifetime Hold() => lifetime.Hold(this);

    private void Release()
    {
        if (!ReferenceEquals(Wide, Features))
            Wide.Dispose();
        Compressed.Dispose();
        Scores.Dispose();
        Masks.Dispose();
    }
}

/// <summary>The gradients of a <see cref="CarafeUpsampler{T}"/>.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Features">The gradient of the features, [B, C, H, W], in their format.</param>
/// <param name="Parameters">The gradients of the parameters, in the order of the module's parameters.</param>
public sealed record CarafeGradients<T>(FeatureMap<T> Features, IReadOnlyList<Parameter> Parameters) : IDisposable
    where T : unmanaged
{
    /// <summary>Gets the gradient of a parameter by its name.</summary>
    /// <param name="name">The name of the parameter, such as "content_encoder.weight".</param>
    /// <exception cref="KeyNotFoundException">
    /// No parameter has this name; the message lists the names.
    /// </exception>
    public Parameter this[string name] => Parameter.Find(Parameters, name);

    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Features?.Dispose();
        foreach (var gradient in Parameters ?? [])
            gradient?.Value?.Dispose();
    }
}

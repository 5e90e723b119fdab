namespace SapaGpu;

/// <summary>
/// What the backward of a <see cref="CarafeUpsampler{T}"/> needs of the forward. It refers to the features, which must
/// not be changed or disposed before, and owns what was computed from them.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class CarafeContext<T> : IDisposable
    where T : unmanaged
{
    internal CarafeUpsampler<T> Module { get; init; } = null!;

    internal FeatureMap<T> Features { get; init; } = null!;

    internal FeatureMap Wide { get; init; } = null!;

    internal FeatureMap Compressed { get; init; } = null!;

    internal FeatureMap Scores { get; init; } = null!;

    internal FeatureMap<T> Masks { get; init; } = null!;

    /// <summary>Releases what the context owns.</summary>
    public void Dispose()
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
/// <param name="Features">The gradient of the features, in their format.</param>
/// <param name="Parameters">The gradients of the parameters, in the order of the module's parameters.</param>
public sealed record CarafeGradients<T>(FeatureMap<T> Features, IReadOnlyList<Parameter> Parameters) : IDisposable
    where T : unmanaged
{
    /// <summary>Finds the gradient of a parameter by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Parameter this[string name] =>
        Parameters.FirstOrDefault(parameter => parameter.Name == name)
            ?? throw new KeyNotFoundException($"There is no gradient of a parameter '{name}'.");

    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Features.Dispose();
        foreach (var gradient in Parameters)
            gradient.Value.Dispose();
    }
}

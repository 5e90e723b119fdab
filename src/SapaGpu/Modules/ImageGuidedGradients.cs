namespace SapaGpu;

/// <summary>The gradients of an <see cref="ImageGuidedUpsampler{T}"/>.</summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class ImageGuidedGradients<T> : IDisposable
    where T : unmanaged
{
    internal ImageGuidedGradients(FeatureMap<T> image, FeatureMap<T> features, IReadOnlyList<Parameter> parameters)
    {
        Image = image;
        Features = features;
        Parameters = parameters;
    }

    /// <summary>Gets the gradient of the image, [B, 3, Hi, Wi], in its format.</summary>
    public FeatureMap<T> Image { get; }

    /// <summary>Gets the gradient of the features, [B, C, H, W], in their format.</summary>
    public FeatureMap<T> Features { get; }

    /// <summary>Gets the gradients of the parameters, in the order of the module's parameters.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Gets the gradient of a parameter by its name.</summary>
    /// <param name="name">The name of the parameter.</param>
    /// <exception cref="KeyNotFoundException">
    /// No parameter has this name; the message lists the names.
    /// </exception>
    public Parameter this[string name] => Parameter.Find(Parameters, name);

    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Image.Dispose();
        Features.Dispose();
        foreach (var gradient in Parameters)
            gradient.Value.Dispose();
    }
}

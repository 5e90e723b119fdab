using SapaGpu.Layers;
using SapaGpu.Modules;

namespace SapaGpu;

/// <summary>
/// What the backward of an <see cref="ImageGuidedUpsampler{T}"/> needs from the forward. The context owns the intermediate
/// maps; it only refers to image and features, which must not be changed or disposed before the backward.
/// </summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class ImageGuidedContext<T> : IDisposable
    where T : unmanaged
{
    private readonly FeatureMap<T> query;
    private readonly FeatureMap<T> key;
    private readonly Lifetime lifetime;

    internal ImageGuidedContext(
        ImageGuidedUpsampler<T> module,
        MemoryFormat imageFormat,
        Trace trace,
        FeatureMap<T> query,
        FeatureMap<T> key,
        CrossAttentionContext<T> attention)
    {
        Module = module;
        ImageFormat = imageFormat;
        Trace = trace;
        Attention = attention;
        this.query = query;
        this.key = key;
        lifetime = new Lifetime(Release);
    }

    internal ImageGuidedUpsampler<T> Module { get; }

    internal MemoryFormat ImageFormat { get; }

    internal Trace Trace { get; }

    internal CrossAttentionContext<T> Attention { get; }

    /// <summary>
    /// Disposes the intermediate maps, after the last call that is under way; image and features stay with the caller.
    /// </summary>
    public void Dispose() => lifetime.Dispose();

    /// <summary>Keeps the intermediate maps until the use is disposed.</summary>
    internal Lifetime.HeldLifetime Hold() => lifetime.Hold(this);

    private void Release()
    {
        Trace.Dispose();
        Attention.Dispose();
        query.Dispose();
        key.Dispose();
    }
}

namespace SapaGpu;

/// <summary>The gradients of window reassembly; those that were not requested are null.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Weights">The gradient of the weights, [B, heads·K², OH, OW], in their format.</param>
/// <param name="Value">The gradient of the value, [B, C, H, W], in its format.</param>
public sealed record WindowReassemblyGradients<T>(FeatureMap<T>? Weights, FeatureMap<T>? Value) : IDisposable
    where T : unmanaged
{
    /// <summary>Disposes the gradients.</summary>
    public void Dispose()
    {
        Weights?.Dispose();
        Value?.Dispose();
    }
}

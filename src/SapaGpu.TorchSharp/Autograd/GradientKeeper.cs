using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// Keeps the gradients that a backward returned alive until torch has taken them over, which happens after the return.
/// The next call on the same thread releases them.
/// </summary>
internal static class GradientKeeper
{
    [ThreadStatic]
    private static List<torch.Tensor>? kept;

    /// <summary>Detaches a gradient from the caller's dispose scope and keeps it.</summary>
    public static torch.Tensor Keep(torch.Tensor gradient)
    {
        (kept ??= []).Add(gradient.DetachFromDisposeScope());
        return gradient;
    }

    /// <summary>Releases all gradients of this thread.</summary>
    public static void Release()
    {
        if (kept is null)
            return;
        foreach (var gradient in kept)
            gradient.Dispose();
        kept.Clear();
    }
}

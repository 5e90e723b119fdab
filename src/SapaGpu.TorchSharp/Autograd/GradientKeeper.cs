using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// Holds the gradients that a backward has returned until torch has taken them over, which it does after the return:
/// they are let go by the next call on the same thread.
/// </summary>
internal static class GradientKeeper
{
    [ThreadStatic]
    private static List<torch.Tensor>? kept;

    /// <summary>Takes a gradient out of the caller's scope and holds it.</summary>
    public static torch.Tensor Keep(torch.Tensor gradient)
    {
        (kept ??= []).Add(gradient.DetachFromDisposeScope());
        return gradient;
    }

    /// <summary>Lets go of all gradients of this thread.</summary>
    public static void Release()
    {
        if (kept is null)
            return;
        foreach (var gradient in kept)
            gradient.Dispose();
        kept.Clear();
    }
}

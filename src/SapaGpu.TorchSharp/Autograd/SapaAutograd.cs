using System.Diagnostics;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>What went wrong inside a backward.</summary>
/// <remarks>
/// An exception cannot pass through the native engine of torch that calls the backward. Torch is handed a gradient of
/// an impossible shape instead, so its own <c>backward</c> fails with "returned an invalid gradient"; the reason is
/// here, and is written to <see cref="Trace"/>.
/// </remarks>
public static class SapaAutograd
{
    private static volatile Exception? lastError;

    /// <summary>Gets why the last backward that failed did so; null if none has.</summary>
    public static Exception? LastError => lastError;

    /// <summary>Records a failure and returns gradients that make torch fail as well.</summary>
    internal static torch.Tensor?[] Fail(Exception error, IReadOnlyList<bool> wanted)
    {
        lastError = error;
        Trace.TraceError(error.ToString());
        // A number is no gradient of anything that has dimensions.
        return [.. wanted.Select(isWanted => isWanted ? GradientKeeper.Keep(torch.zeros([])) : null)];
    }
}

using System.Diagnostics;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Reports the errors of backward passes.</summary>
/// <remarks>
/// An exception cannot pass through torch's native autograd engine, which calls the backward. The operator returns a
/// gradient of an invalid shape instead, so that torch's <c>backward</c> fails with "returned an invalid gradient". The
/// original exception is found here and is written to <see cref="Trace"/>.
/// </remarks>
public static class SapaAutograd
{
    private static volatile Exception? lastError;

    /// <summary>Gets the exception of the last backward that failed, on any thread; null if none has failed.</summary>
    public static Exception? LastError => lastError;

    /// <summary>Records a failure and returns gradients that make torch fail as well.</summary>
    internal static torch.Tensor?[] Fail(Exception error, IReadOnlyList<bool> wanted)
    {
        lastError = error;
        Trace.TraceError(error.ToString());
        // A scalar is an invalid gradient for a tensor with dimensions.
        return [.. wanted.Select(isWanted => isWanted ? GradientKeeper.Keep(torch.zeros([])) : null)];
    }
}

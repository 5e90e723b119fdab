using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>
/// Rotary positions (Su et al., arXiv 2104.09864) of two axes: the halves of a head's channels are components that are turned by
/// angles of row and column.
/// </summary>
internal static class RotaryPositions
{
    /// <summary>Whether a device can turn a map in place.</summary>
    public static bool RunsInPlace(ComputeDevice device) => device.RunsVectorPrograms;

    /// <summary>
    /// Turns a map, [B, h·D, H, W]: with learned angles [2, D, 1, 1] of one head, or with fixed periods [1, D/4, 1, 1].
    /// </summary>
    public static void Forward(
        bool isLearned, int headChannels, FeatureMap frequencies, FeatureMap input, FeatureMap output)
    {
        using var call = Operands.Hold(frequencies, input, output);
        EncodingKernels.For(input).Rotate(isLearned, headChannels, frequencies, input, output);
    }

    /// <summary>Computes the gradient of the input, and that of learned angles; null for fixed periods.</summary>
    public static void Backward(
        int headChannels,
        FeatureMap frequencies,
        FeatureMap input,
        FeatureMap gradOutput,
        FeatureMap gradInput,
        FeatureMap? gradAngles)
    {
        using var call = Operands.Hold(frequencies, input, gradOutput, gradInput, gradAngles);
        EncodingKernels.For(input).RotateBackward(headChannels, frequencies, input, gradOutput, gradInput, gradAngles);
    }
}

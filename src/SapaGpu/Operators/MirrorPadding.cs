using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>
/// A border that mirrors the map without repeating its edge: index −1 is 1, index n is n − 2. The map has more rows and
/// columns than the border.
/// </summary>
internal static class MirrorPadding
{
    public static void Forward(FeatureMap input, FeatureMap output)
    {
        using var call = Operands.Hold(input, output);
        EncodingKernels.For(input).Mirror(Border(input, output), input, output);
    }

    public static void Backward(FeatureMap gradOutput, FeatureMap gradInput)
    {
        using var call = Operands.Hold(gradOutput, gradInput);
        EncodingKernels.For(gradInput).MirrorBackward(Border(gradInput, gradOutput), gradOutput, gradInput);
    }

    private static int Border(FeatureMap map, FeatureMap padded) => (padded.Shape.Height - map.Shape.Height) / 2;
}

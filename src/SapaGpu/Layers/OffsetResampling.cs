using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>Resamples the offsets of cells to the resolution of the output, and their gradients back.</summary>
internal static class OffsetResampling
{
    public static void Forward(FeatureMap cells, FeatureMap offsets, int scale, bool shuffles)
    {
        if (shuffles)
            PixelShuffle.Forward(cells, offsets, scale);
        else
            Interpolate.Run(cells, offsets, InterpolationMode.Nearest, alignCorners: false);
    }

    public static void Backward(FeatureMap gradOffsets, FeatureMap gradCells, int scale, bool shuffles)
    {
        if (shuffles)
            PixelShuffle.Backward(gradOffsets, gradCells, scale);
        else
            Interpolate.RunBackward(gradOffsets, gradCells, InterpolationMode.Nearest, alignCorners: false);
    }
}

using SapaGpu.Launch;

namespace SapaGpu.Layers;

/// <summary>Brings the offsets of cells to the resolution of the output, and their gradients back.</summary>
internal static class OffsetResampling
{
    public static void Forward(FeatureMap cells, FeatureMap offsets, int scale, bool shuffles)
    {
        var kernels = ResamplingKernels.For(cells.ElementType);
        if (shuffles)
            kernels.Shuffle(scale, inverse: false, cells, offsets);
        else
            kernels.Interpolate(InterpolationMode.Nearest, alignCorners: false, cells, offsets);
    }

    public static void Backward(FeatureMap gradOffsets, FeatureMap gradCells, int scale, bool shuffles)
    {
        var kernels = ResamplingKernels.For(gradCells.ElementType);
        if (shuffles)
            kernels.Shuffle(scale, inverse: true, gradOffsets, gradCells);
        else
            kernels.InterpolateBackward(InterpolationMode.Nearest, alignCorners: false, gradOffsets, gradCells);
    }
}

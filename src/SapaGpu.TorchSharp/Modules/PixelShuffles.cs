using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Channels that become pixels.</summary>
internal static class PixelShuffles
{
    /// <summary>[B, C·s², H, W] as [B, C, s·H, s·W].</summary>
    public static torch.Tensor Shuffle(torch.Tensor map, int scale)
    {
        long[] shape = map.shape;
        if (shape[0] > 0)
            return torch.nn.functional.pixel_shuffle(map, scale);

        // The gradient of torch's function has a wrong shape where there are no images.
        long channels = shape[1] / ((long)scale * scale);
        return map.reshape(shape[0], channels, scale, scale, shape[2], shape[3])
            .permute(0, 1, 4, 2, 5, 3)
            .reshape(shape[0], channels, scale * shape[2], scale * shape[3]);
    }
}

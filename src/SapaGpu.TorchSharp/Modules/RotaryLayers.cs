using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Positions that turn the channels of a map, of torch's own operators.</summary>
internal static class RotaryLayers
{
    /// <summary>
    /// NAF's: fixed periods over pixel centres in [−1, 1]; in every head a quarter of the channels for rows and columns each, and
    /// the same for the other component.
    /// </summary>
    /// <param name="periods">The periods, [D / 4] for heads of D channels.</param>
    /// <param name="map">The map, [B, heads·D, H, W].</param>
    public static torch.Tensor Periodic(torch.Tensor periods, torch.Tensor map)
    {
        using var scope = torch.NewDisposeScope();
        var (batch, channels, height, width) = (map.shape[0], map.shape[1], map.shape[2], map.shape[3]);
        long quarter = periods.shape[0];
        long heads = channels / (4 * quarter);
        var factors = 2 * Math.PI / periods.to_type(torch.float64).reshape(-1, 1, 1);
        var rows = factors * Centres(height, map.device).reshape(1, -1, 1);
        var columns = factors * Centres(width, map.device).reshape(1, 1, -1);
        var angles = torch.cat([rows.expand(quarter, height, width), columns.expand(quarter, height, width)], 0);
        var (cosine, sine) = (angles.cos().to_type(map.dtype), angles.sin().to_type(map.dtype));
        var parts = map.reshape(batch, heads, 2, 2 * quarter, height, width).unbind(2);
        return torch.stack([parts[0] * cosine - parts[1] * sine, parts[1] * cosine + parts[0] * sine], 2)
            .reshape(map.shape)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// AnyUp's: a learned angle for each channel, over coordinates from 0 to 1. Both components of a pair have angles of their own.
    /// </summary>
    /// <param name="factors">What rows and columns count for in each angle, [2, D].</param>
    /// <param name="map">The map, [B, D, H, W].</param>
    public static torch.Tensor Learned(torch.Tensor factors, torch.Tensor map)
    {
        using var scope = torch.NewDisposeScope();
        long half = map.shape[1] / 2;
        var wide = factors.to_type(TorchTypes.Accumulator(factors.dtype));
        var angles = wide[0].reshape(-1, 1, 1) * Unit(map.shape[2], wide).reshape(1, -1, 1)
            + wide[1].reshape(-1, 1, 1) * Unit(map.shape[3], wide).reshape(1, 1, -1);
        var turned = torch.cat([-map.narrow(1, half, half), map.narrow(1, 0, half)], 1);
        return (map * angles.cos().to_type(map.dtype) + turned * angles.sin().to_type(map.dtype)).MoveToOuterDisposeScope();
    }

    private static torch.Tensor Centres(long size, torch.Device device) =>
        (torch.arange(size, torch.float64, device) + 0.5) * (2.0 / size) - 1;

    private static torch.Tensor Unit(long size, torch.Tensor like) =>
        torch.arange(size, like.dtype, like.device) / Math.Max(size - 1, 1);
}

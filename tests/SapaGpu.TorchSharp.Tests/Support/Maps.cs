using TorchSharp;

namespace SapaGpu.TorchSharp.Tests;

/// <summary>Random maps, and comparisons that say how far off a map is.</summary>
internal static class Maps
{
    /// <summary>A leaf of random values that wants a gradient.</summary>
    public static torch.Tensor Random(
        long batch, long channels, long height, long width, torch.ScalarType type = torch.ScalarType.Float64) =>
        torch.randn([batch, channels, height, width], torch.float64).to_type(type).requires_grad_();

    /// <summary>A leaf of the same values.</summary>
    public static torch.Tensor Copy(torch.Tensor map) => map.detach().clone().requires_grad_();

    /// <summary>The same values in channels-last order.</summary>
    public static torch.Tensor ChannelsLast(
        torch.Tensor map) => map.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    /// <summary>The largest difference, as a share of the largest expected value.</summary>
    public static double Error(torch.Tensor? actual, torch.Tensor? expected)
    {
        using var scope = torch.NewDisposeScope();
        if (actual is null || expected is null)
            return double.NaN;
        var wide = expected.detach().to_type(torch.float64);
        double largest = Math.Max(wide.abs().max().item<double>(), double.Epsilon);
        return (actual.detach().to_type(torch.float64) - wide).abs().max().item<double>() / largest;
    }
}

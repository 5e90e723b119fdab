using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.TorchSharp;

/// <summary>
/// The layers of the encoders of NAF and AnyUp, of torch's own operators. Each returns a new tensor, and no tensor that it only needs in
/// between outlives it, except in the graph.
/// </summary>
internal static class EncoderLayers
{
    /// <summary>
    /// Layers one after the other. What one hands to the next is disposed at once, so that without gradients no more than the
    /// maps of a layer are held.
    /// </summary>
    public static torch.Tensor Chain(torch.Tensor input, params ReadOnlySpan<Func<torch.Tensor, torch.Tensor>> layers)
    {
        var map = input;
        foreach (var layer in layers)
        {
            var next = layer(map);
            if (!ReferenceEquals(map, input) && !ReferenceEquals(map, next))
                map.Dispose();
            map = next;
        }
        return map;
    }

    /// <summary>A convolution that keeps the size of the map, with zeros outside it or a border mirrored without its edge.</summary>
    public static torch.Tensor Convolve(this EncoderParameters parameters, string name, torch.Tensor map, bool mirrors = false)
    {
        var weight = parameters.Required($"{name}.weight");
        var bias = parameters.Optional($"{name}.bias");
        long border = weight.shape[2] / 2;
        if (border == 0 || !mirrors)
            return functional.conv2d(map, weight, bias, padding: [border, border]);
        using var padded = functional.pad(map, [border, border, border, border], PaddingModes.Reflect);
        return functional.conv2d(padded, weight, bias);
    }

    /// <summary>GroupNorm, then SiLU.</summary>
    public static torch.Tensor NormSilu(this EncoderParameters parameters, string name, torch.Tensor map, int groups, double epsilon)
    {
        using var normalised = functional.group_norm(
            map, groups, parameters.Required($"{name}.weight"), parameters.Required($"{name}.bias"), epsilon);
        return functional.silu(normalised);
    }

    /// <summary>AnyUp's block: twice <see cref="NormSilu"/> and a 1×1 convolution, added to the input or a projection of it.</summary>
    public static torch.Tensor ResidualBlock(this EncoderParameters parameters, string name, torch.Tensor map, int groups, double epsilon)
    {
        using var scope = torch.NewDisposeScope();
        var direct = parameters.Optional($"{name}.shortcut.weight") is null ? map : parameters.Convolve($"{name}.shortcut", map);
        var body = Chain(
            map,
            input => parameters.NormSilu($"{name}.block.0", input, groups, epsilon),
            input => parameters.Convolve($"{name}.block.2", input),
            input => parameters.NormSilu($"{name}.block.3", input, groups, epsilon),
            input => parameters.Convolve($"{name}.block.5", input));
        return (body + direct).MoveToOuterDisposeScope();
    }

    /// <summary>Means of regions, to a size.</summary>
    public static torch.Tensor Pool(torch.Tensor map, long height, long width) =>
        functional.adaptive_avg_pool2d(map, [height, width]);

    /// <summary>RMSNorm over the channels of every pixel.</summary>
    public static torch.Tensor RootMeanSquareNorm(this EncoderParameters parameters, string name, torch.Tensor map, double epsilon)
    {
        using var scope = torch.NewDisposeScope();
        var scale = (map.square().mean([1], keepdim: true) + epsilon).rsqrt();
        return (map * scale * parameters.Required($"{name}.weight").reshape(1, -1, 1, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// AnyUp's layer for any number of channels: every channel is correlated with every kernel, with zeros outside the map and the
    /// sum divided by the taps inside; responses are numbered channel by channel and read kernel by kernel; a softmax over kernels, and
    /// the mean over channels.
    /// </summary>
    public static torch.Tensor Unify(torch.Tensor basis, torch.Tensor map)
    {
        using var scope = torch.NewDisposeScope();
        var (batch, channels, height, width) = (map.shape[0], map.shape[1], map.shape[2], map.shape[3]);
        long kernels = basis.shape[0];
        long[] padding = [basis.shape[2] / 2, basis.shape[3] / 2];
        var taps = functional.conv2d(
            torch.ones([1, 1, height, width], map.dtype, map.device),
            torch.ones([1, 1, basis.shape[2], basis.shape[3]], map.dtype, map.device),
            padding: padding);
        var responses = functional.conv2d(map.reshape(batch * channels, 1, height, width), basis, padding: padding) / taps;
        return responses.reshape(batch, kernels, channels, height, width)
            .softmax(1)
            .mean([2])
            .MoveToOuterDisposeScope();
    }
}

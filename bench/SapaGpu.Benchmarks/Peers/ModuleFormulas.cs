using SapaGpu.Workloads;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Benchmarks;

/// <summary>The modules, composed of what libtorch has, with the parameters under their names.</summary>
internal static class ModuleFormulas
{
    private const double Epsilon = 1e-5;

    /// <summary>SAPA-I.</summary>
    public static torch.Tensor SapaInnerProduct(IReadOnlyDictionary<string, torch.Tensor> operands, Stage stage) =>
        OperatorFormulas.Attention(
            ChannelsSecond(Normalise(operands, "norm_y", operands["encoder"])),
            ChannelsSecond(Normalise(operands, "norm_x", operands["decoder"])),
            operands["decoder"],
            stage,
            heads: 1);

    /// <summary>SAPA-B.</summary>
    public static torch.Tensor Sapa(IReadOnlyDictionary<string, torch.Tensor> operands, Stage stage)
    {
        var query = Linear(operands, "q", Normalise(operands, "norm_y", operands["encoder"]));
        var key = Linear(operands, "k", Normalise(operands, "norm_x", operands["decoder"]));
        return OperatorFormulas.Attention(
            ChannelsSecond(query), ChannelsSecond(key), operands["decoder"], stage, heads: 1);
    }

    /// <summary>SAPA-G.</summary>
    public static torch.Tensor SapaGated(IReadOnlyDictionary<string, torch.Tensor> operands, Stage stage)
    {
        var decoder = operands["decoder"];
        var normalised = Normalise(operands, "norm_x", decoder);
        var guided = ChannelsSecond(Linear(operands, "qy", Normalise(operands, "norm_y", operands["encoder"])));
        var own = Nearest(ChannelsSecond(Linear(operands, "qx", decoder.permute(0, 2, 3, 1))), stage);
        var gate = Nearest(ChannelsSecond(Linear(operands, "gate", normalised).sigmoid()), stage);
        var query = gate * guided + (1 - gate) * own;
        return OperatorFormulas.Attention(
            query, ChannelsSecond(Linear(operands, "k", normalised)), decoder, stage, heads: 1);
    }

    /// <summary>SAPA-D.</summary>
    public static torch.Tensor SapaDeformable(IReadOnlyDictionary<string, torch.Tensor> operands, Stage stage)
    {
        var decoder = operands["decoder"];
        var offsets = functional.pixel_shuffle(Convolution(operands, "offset", decoder), stage.Scale);
        return OperatorFormulas.Deformable(
            Convolution(operands, "q", operands["encoder"]), Convolution(operands, "k", decoder), decoder, offsets, stage);
    }

    /// <summary>CARAFE with the prediction of its kernels.</summary>
    public static torch.Tensor Carafe(IReadOnlyDictionary<string, torch.Tensor> operands, Stage stage)
    {
        var features = operands["features"];
        var code = Convolution(operands, "content_encoder", Convolution(operands, "channel_compressor", features));
        var masks = functional.pixel_shuffle(code, stage.Scale).softmax(1);
        return OperatorFormulas.Reassembly(masks, features, stage);
    }

    // Channels are the last dimension of what is normalised and projected.
    private static torch.Tensor Normalise(
        IReadOnlyDictionary<string, torch.Tensor> operands, string name, torch.Tensor map) => functional.layer_norm(
            map.permute(0, 2, 3, 1), [map.shape[1]], operands[$"{name}.weight"], operands[$"{name}.bias"], Epsilon);

    private static torch.Tensor Linear(
        IReadOnlyDictionary<string, torch.Tensor> operands, string name, torch.Tensor pixels) =>
        functional.linear(pixels, operands[$"{name}.weight"], operands[$"{name}.bias"]);

    private static torch.Tensor Convolution(
        IReadOnlyDictionary<string, torch.Tensor> operands, string name, torch.Tensor map)
    {
        var weight = operands[$"{name}.weight"];
        return functional.conv2d(
            map, weight, operands[$"{name}.bias"], padding: [weight.shape[2] / 2, weight.shape[3] / 2]);
    }

    private static torch.Tensor ChannelsSecond(torch.Tensor pixels) => pixels.permute(0, 3, 1, 2);

    private static torch.Tensor Nearest(torch.Tensor map, Stage stage) => functional.interpolate(
        map, [stage.Height * stage.Scale, stage.Width * stage.Scale], mode: torch.InterpolationMode.Nearest);
}

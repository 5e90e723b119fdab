using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>
/// Brings the decoder's channels to those of the guide, then its resolution. Without a lateral connection the guide
/// reaches the output through the upsampler only.
/// </summary>
internal sealed class DecoderStage : Module<torch.Tensor, torch.Tensor, torch.Tensor>
{
    private readonly ConvolutionUnit reduction;
    private readonly Module<torch.Tensor, torch.Tensor, torch.Tensor> upsampler;
    private readonly Conv2d? lateral;

    public DecoderStage(
        int inputs, int outputs, UpsamplingOperator kind, int window, bool hasLateral, int seed, string name)
        : base(nameof(DecoderStage))
    {
        reduction = ComponentSeed.Build(seed, $"{name}/reduction", () => new ConvolutionUnit(inputs, outputs));
        upsampler = ComponentSeed.Build(
            seed, $"{name}/upsampler", () => UpsamplerFactory.Create(kind, outputs, window));
        lateral = hasLateral
            ? ComponentSeed.Build(seed, $"{name}/lateral", () => Conv2d(outputs, outputs, kernel_size: 1))
            : null;
        RegisterComponents();
    }

    /// <summary>Gets the trained numbers of the upsampler.</summary>
    public long UpsamplerParameters => upsampler.parameters().Sum(parameter => parameter.numel());

    public override torch.Tensor forward(torch.Tensor guide, torch.Tensor decoder)
    {
        using var reduced = reduction.call(decoder);
        var upsampled = upsampler.call(guide, reduced);
        if (lateral is null)
            return upsampled;
        using (upsampled)
        using (var detail = lateral.call(guide))
            return upsampled.add(detail);
    }
}

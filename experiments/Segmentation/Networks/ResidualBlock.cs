using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>Two convolutions whose result is added to what went in.</summary>
internal sealed class ResidualBlock : Module<torch.Tensor, torch.Tensor>
{
    private readonly ConvolutionUnit first;
    private readonly ConvolutionUnit second;

    public ResidualBlock(int channels)
        : base(nameof(ResidualBlock))
    {
        first = new ConvolutionUnit(channels, channels);
        second = new ConvolutionUnit(channels, channels, isActivated: false);
        RegisterComponents();
    }

    public override torch.Tensor forward(torch.Tensor input)
    {
        using var hidden = first.call(input);
        return second.call(hidden).add_(input).relu_();
    }
}

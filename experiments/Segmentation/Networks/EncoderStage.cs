using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>A convolution that halves the resolution, and a residual block at the new one.</summary>
internal sealed class EncoderStage : Module<torch.Tensor, torch.Tensor>
{
    private readonly ConvolutionUnit down;
    private readonly ResidualBlock block;

    public EncoderStage(int inputs, int outputs)
        : base(nameof(EncoderStage))
    {
        down = new ConvolutionUnit(inputs, outputs, stride: 2);
        block = new ResidualBlock(outputs);
        RegisterComponents();
    }

    public override torch.Tensor forward(torch.Tensor input)
    {
        using var halved = down.call(input);
        return block.call(halved);
    }
}

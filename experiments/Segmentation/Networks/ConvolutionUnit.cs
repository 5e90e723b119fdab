using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace SapaGpu.Segmentation;

/// <summary>
/// A 3×3 convolution and batch normalisation, followed by a ReLU unless something is to be added before.
/// </summary>
internal sealed class ConvolutionUnit : Module<torch.Tensor, torch.Tensor>
{
    private const double NormalisationMomentum = 0.1;
    private readonly Conv2d convolution;
    private readonly BatchNorm2d norm;
    private readonly bool isActivated;

    public ConvolutionUnit(int inputs, int outputs, int stride = 1, bool isActivated = true)
        : base(nameof(ConvolutionUnit))
    {
        convolution = Conv2d(inputs, outputs, kernel_size: 3, stride: stride, padding: 1, bias: false);
        norm = BatchNorm2d(outputs, momentum: NormalisationMomentum);
        this.isActivated = isActivated;
        init.kaiming_normal_(convolution.weight, mode: init.FanInOut.FanOut);
        RegisterComponents();
    }

    public override torch.Tensor forward(torch.Tensor input)
    {
        using var product = convolution.call(input);
        var output = norm.call(product);
        return isActivated ? output.relu_() : output;
    }
}

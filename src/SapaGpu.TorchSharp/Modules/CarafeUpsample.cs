using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// CARAFE as a TorchSharp module (Wang et al., ICCV 2019, section 3). <c>call(features)</c> upsamples features
/// [B, C, H, W] to [B, C, s·H, s·W] with kernels that are predicted from them.
/// </summary>
/// <remarks>
/// Parameters have the names of CARAFEPack in mmcv: channel_compressor and content_encoder, each with weight and bias.
/// The kernels are predicted with torch's convolutions in the type of the parameters.
/// </remarks>
public sealed class CarafeUpsample : torch.nn.Module<torch.Tensor, torch.Tensor>
{
    /// <summary>Creates the module with initial parameters, drawn from torch's generator.</summary>
    /// <param name="options">Channels, window, groups, content encoder.</param>
    /// <param name="device">The device of the parameters; null for the CPU.</param>
    /// <param name="dtype">The type of the parameters; null for torch's default type.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or the scale is above 16.</exception>
    /// <exception cref="ArgumentException">
    /// The content encoder's kernel is even, or the channels are not a multiple of the groups.
    /// </exception>
    /// <exception cref="NotSupportedException">The window is even or out of range.</exception>
    public CarafeUpsample(CarafeOptions options, torch.Device? device = null, torch.ScalarType? dtype = null)
        : base(nameof(CarafeUpsample))
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        ModuleParameters.Register(this, new CarafeKernelPredictor(options).Specs(), device, dtype);
        RegisterComponents();
    }

    /// <summary>Creates the module with the default options, on the CPU and in torch's default type.</summary>
    /// <param name="channels">C, the channels of the features.</param>
    /// <param name="scale">s, the upsampling ratio, from 1 to 16.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or the scale is above 16.</exception>
    public CarafeUpsample(int channels, int scale)
        : this(new CarafeOptions { Channels = channels, Scale = scale })
    {
    }

    /// <summary>Gets the options that the module was created with.</summary>
    public CarafeOptions Options { get; }

    /// <summary>Upsamples features.</summary>
    /// <param name="features">Features, [B, C, H, W].</param>
    /// <returns>The output, [B, C, s·H, s·W], in the memory format of the features.</returns>
    /// <inheritdoc cref="SapaFunctional.WindowAttention" path="/exception"/>
    public override torch.Tensor forward(torch.Tensor features)
    {
        ChannelChecks.Require(this, nameof(features), features, Options.Channels);
        using var scope = torch.NewDisposeScope();
        var parameterType = this.Required("channel_compressor.weight").dtype;
        long padding = (long)Options.EncoderDilation * (Options.EncoderKernel / 2);
        var compressed = Convolve("channel_compressor", features.to_type(parameterType), 0, 1);
        var code = Convolve("content_encoder", compressed, padding, Options.EncoderDilation);
        var scores = PixelShuffles.Shuffle(code, Options.Scale);
        long[] shape = scores.shape;
        long taps = shape[1] / Options.Groups;
        var masks = scores.reshape(shape[0], Options.Groups, taps, shape[2], shape[3]).softmax(2).reshape(shape);
        return SapaFunctional.Carafe(features, masks.to_type(features.dtype), Options.Window, Options.Groups)
            .MoveToOuterDisposeScope();
    }

    private torch.Tensor Convolve(string layer, torch.Tensor map, long padding, long dilation) =>
        torch.nn.functional.conv2d(
            map,
            this.Required($"{layer}.weight"),
            this.Required($"{layer}.bias"),
            padding: [padding, padding],
            dilation: [dilation, dilation]);
}

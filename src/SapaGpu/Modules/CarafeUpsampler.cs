using SapaGpu.Layers;
using SapaGpu.Maps;

namespace SapaGpu;

/// <summary>
/// CARAFE (Wang et al., <i>CARAFE: Content-Aware ReAssembly of FEatures</i>, ICCV 2019, section 3): upsampling without
/// a guide, by kernels that are predicted from the features themselves.
/// </summary>
/// <remarks>
/// <code>
/// code   = content_encoder(channel_compressor(x))      [B, groups·K²·s², H, W]
/// masks  = softmax over the K² taps of PixelShuffle(code)  [B, groups·K², s·H, s·W]
/// output = WindowReassembly(masks, x)                  [B, C, s·H, s·W], with 0 outside the map
/// </code>
/// <para>Parameters with the names of CARAFEPack in mmcv: channel_compressor.weight, channel_compressor.bias,
/// content_encoder.weight, content_encoder.bias. The kernels are predicted in the type of the parameters.</para>
/// </remarks>
/// <typeparam name="T">
/// The element type of features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double for
/// double and else float.
/// </typeparam>
public sealed class CarafeUpsampler<T> : UpsamplerModule<T>
    where T : unmanaged
{
    private readonly CarafeKernelPredictor predictor;
    private readonly WindowAttentionOptions reassembly;

    /// <summary>Creates the module with initial parameters.</summary>
    /// <param name="device">Where the parameters live and the module runs.</param>
    /// <param name="options">Channels, window, groups, content encoder.</param>
    /// <param name="seed">The seed of the initial parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or the scale is above 16.</exception>
    /// <exception cref="ArgumentException">A kernel is even, or channels are no multiple of the groups.</exception>
    /// <exception cref="NotSupportedException">The window or the element type is not supported.</exception>
    public CarafeUpsampler(ComputeDevice device, CarafeOptions options, int seed = 0)
        : base(device, Specs(device, options), seed)
    {
        Options = options;
        predictor = new CarafeKernelPredictor(options);
        reassembly = new WindowAttentionOptions { Window = options.Window, Heads = options.Groups };
    }

    /// <summary>Gets the choices that the module was made with.</summary>
    public CarafeOptions Options { get; }

    /// <summary>Upsamples features.</summary>
    /// <param name="features">Features, [B, C, H, W].</param>
    /// <returns>The output, [B, C, s·H, s·W], in the format of the features.</returns>
    /// <exception cref="ArgumentException">The channels are not those of the module.</exception>
    /// <exception cref="DeviceMismatchException">The features are on another device than the module.</exception>
    /// <exception cref="ObjectDisposedException">The features, the module or its device was disposed.</exception>
    public FeatureMap<T> Forward(FeatureMap<T> features)
    {
        var output = Forward(features, out var context);
        context.Dispose();
        return output;
    }

    /// <summary>Upsamples features and keeps what the backward needs.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T})"/>
    /// <param name="features">Features, [B, C, H, W].</param>
    /// <param name="context">What <see cref="Backward"/> needs.</param>
    public FeatureMap<T> Forward(FeatureMap<T> features, out CarafeContext<T> context)
    {
        ArgumentNullException.ThrowIfNull(features);
        Operand x = new(nameof(features), features);
        CheckFeatures(x, Options.Channels, x);
        using var call = Operands.Hold(features);
        var wide = CarafeKernelPredictor.Widen(features);
        var (compressed, scores) = predictor.Forward(Values, wide);
        using var kernels = predictor.Normalise(scores);
        context = new CarafeContext<T>
        {
            Module = this,
            Features = features,
            Wide = wide,
            Compressed = compressed,
            Scores = scores,
            Masks = CarafeKernelPredictor.Narrow<T>(kernels),
        };
        return WindowReassembly.Forward(context.Masks, features, reassembly);
    }

    /// <summary>The gradients of the features and of every parameter, given that of the output.</summary>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, s·H, s·W].</param>
    /// <exception cref="ArgumentException">The context is another module's, or the shape is wrong.</exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="ObjectDisposedException">A map, the context, the module or its device was disposed.</exception>
    public CarafeGradients<T> Backward(CarafeContext<T> context, FeatureMap<T> gradOutput)
    {
        ArgumentNullException.ThrowIfNull(context);
        CheckContext(context.Module, nameof(context));
        using var call = Operands.Hold(context.Features);
        var (gradMasks, gradFeatures) =
            WindowReassembly.Backward(context.Masks, context.Features, gradOutput, reassembly);
        using var ownGradMasks = gradMasks;
        var gradients = Values.CreateLike();
        predictor.Backward(
            Values, gradients, context.Wide, context.Compressed, context.Scores, gradMasks!, gradFeatures!);
        return new CarafeGradients<T>(gradFeatures!, gradients.HandOver());
    }

    private static IReadOnlyList<ParameterSpec> Specs(ComputeDevice device, CarafeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckDevice(device, options.Window);
        return new CarafeKernelPredictor(options).Specs();
    }
}

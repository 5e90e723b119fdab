using SapaGpu.Layers;
using SapaGpu.Maps;

namespace SapaGpu;

/// <summary>
/// CARAFE (Wang et al., <i>CARAFE: Content-Aware ReAssembly of FEatures</i>, ICCV 2019, section 3): upsampling without
/// a guide, with reassembly kernels that are predicted from the features themselves.
/// </summary>
/// <remarks>
/// <code>
/// code   = content_encoder(channel_compressor(x))      [B, groups·K²·s², H, W]
/// masks  = softmax over the K² taps of PixelShuffle(code)  [B, groups·K², s·H, s·W]
/// output = WindowReassembly(masks, x)                  [B, C, s·H, s·W], with value 0 outside the map
/// </code>
/// <para>The parameters have the names of CARAFEPack in mmcv: channel_compressor.weight, channel_compressor.bias,
/// content_encoder.weight, content_encoder.bias. The masks are computed in the type of the parameters, then rounded to
/// the type of the features. Initial values: Xavier normal for the compressor, normal with standard deviation 0.001 for
/// the encoder, biases 0.</para>
/// </remarks>
/// <typeparam name="T">
/// The element type of the features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double
/// for double, otherwise float.
/// </typeparam>
public sealed class CarafeUpsampler<T> : UpsamplerModule<T>
    where T : unmanaged
{
    private readonly CarafeKernelPredictor predictor;
    private readonly WindowAttentionOptions reassembly;

    /// <summary>Creates the module with initial parameters.</summary>
    /// <param name="device">The device that holds the parameters and runs the module.</param>
    /// <param name="options">Channels, window, groups, content encoder.</param>
    /// <param name="seed">The seed of the initial parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number in the options is below 1, or the scale is above 16.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// The kernel of the content encoder is not odd, or the channels are not a multiple of the groups.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// The window is not an odd number from 1 to 15, or the device does not support the element type.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    public CarafeUpsampler(ComputeDevice device, CarafeOptions options, int seed = 0)
        : base(device, Specs(device, options), seed)
    {
        Options = options;
        predictor = new CarafeKernelPredictor(options);
        reassembly = new WindowAttentionOptions { Window = options.Window, Heads = options.Groups };
    }

    /// <summary>Gets the options of the module.</summary>
    public CarafeOptions Options { get; }

    /// <summary>Upsamples features.</summary>
    /// <param name="features">Features, [B, C, H, W].</param>
    /// <returns>The output, [B, C, s·H, s·W], in the format of the features.</returns>
    /// <exception cref="ArgumentException">The module was made for another number of channels.</exception>
    /// <exception cref="DeviceMismatchException">The features are not on the device of the module.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The features, the module or its device was disposed.</exception>
    public FeatureMap<T> Forward(FeatureMap<T> features)
    {
        var output = Run(features, null, out var context);
        context.Dispose();
        return output;
    }

    /// <summary>Upsamples features into an existing map.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T})" path="/exception"/>
    /// <param name="features">Features, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, [B, C, s·H, s·W], in either format.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="output"/> has another shape, or shares memory with the features.
    /// </exception>
    public void Forward(FeatureMap<T> features, FeatureMap<T> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Run(features, output, out var context);
        context.Dispose();
    }

    /// <summary>Upsamples features and returns a context for the backward.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T})" path="/*[not(self::summary or self::param)]"/>
    /// <param name="features">Features, [B, C, H, W].</param>
    /// <param name="context">The context for <see cref="Backward"/>, which the caller disposes.</param>
    public FeatureMap<T> Forward(FeatureMap<T> features, out CarafeContext<T> context) => Run(features, null, out context);

    /// <summary>
    /// Computes the gradients of the features and of every parameter from the gradient of the output.
    /// </summary>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, s·H, s·W].</param>
    /// <returns>The gradients, which the caller disposes.</returns>
    /// <exception cref="ArgumentException">
    /// Another module made the context, or the gradient does not have the shape of the output.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map, the context, the module or its device was disposed.</exception>
    public CarafeGradients<T> Backward(CarafeContext<T> context, FeatureMap<T> gradOutput)
    {
        ArgumentNullException.ThrowIfNull(context);
        CheckContext(context.Module, nameof(context));
        using var call = Operands.Hold(context.Features);
        using var parameters = HoldParameters();
        using var intermediates = context.Hold();
        var (gradMasks, gradFeatures) =
            WindowReassembly.Backward(context.Masks, context.Features, gradOutput, reassembly);
        using var ownGradMasks = gradMasks;
        var values = ValuesFor(context.Features);
        var gradients = values.CreateLike();
        predictor.Backward(
            values, gradients, context.Wide, context.Compressed, context.Scores, gradMasks!, gradFeatures!);
        return new CarafeGradients<T>(gradFeatures!, gradients.HandOver());
    }

    private static IReadOnlyList<ParameterSpec> Specs(ComputeDevice device, CarafeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckDevice(device, options.Window);
        return new CarafeKernelPredictor(options).Specs();
    }

    private FeatureMap<T> Run(FeatureMap<T> features, FeatureMap<T>? output, out CarafeContext<T> context)
    {
        ArgumentNullException.ThrowIfNull(features);
        Operand x = new(nameof(features), features);
        CheckFeatures(x, Options.Channels, x);
        var (low, scale) = (features.Shape, Options.Scale);
        var shape = new MapShape(low.Batch, low.Channels, low.Height * scale, low.Width * scale);
        CheckOutput(output, shape, x);
        using var call = Operands.Hold(features, output);
        using var parameters = HoldParameters();
        var wide = CarafeKernelPredictor.Widen(features);
        var (compressed, scores) = predictor.Forward(ValuesFor(features), wide);
        using var kernels = predictor.Normalise(scores);
        context = new CarafeContext<T>
        {
            Module = this,
            Features = features,
            Wide = wide,
            Compressed = compressed,
            Scores = scores,
            Masks = Precision.Narrow<T>(kernels),
        };
        output ??= FeatureMap<T>.Create(features.Device, shape, features.Format);
        WindowReassembly.Forward(context.Masks, features, output, reassembly);
        return output;
    }
}

using SapaGpu.Layers;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// SAPA-D (<i>On Point Affiliation in Feature Upsampling</i>, arXiv 2307.08198, section 4): every output point attends,
/// for each group of channels, to points of the decoder map at predicted offsets.
/// </summary>
/// <remarks>
/// <code>
/// query = q(norm(y)),  key = k(norm(x)),  offsets = offset(norm(x)), resampled to s·H × s·W
/// output = DeformableAttention(query, key, x, offsets)          [B, Cx, s·H, s·W]
/// </code>
/// <para>y are the encoder features and x the decoder features; q, k and offset are 1×1 convolutions, norm is GroupNorm
/// or nothing. The parameters have the names of the authors' module: norm_y, norm_x, q, k and offset, each with weight
/// and bias. Initially all offsets are 0, so the module starts as nearest-neighbour upsampling; q and k are initialised
/// as in <see cref="SapaUpsampler{T}"/>.</para>
/// </remarks>
/// <typeparam name="T">
/// The element type of the features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double
/// for double, otherwise float.
/// </typeparam>
public sealed class SapaDeformableUpsampler<T> : UpsamplerModule<T>
    where T : unmanaged
{
    private readonly DeformableAttentionOptions attention;
    private readonly Embedder encoderEmbedder;
    private readonly Embedder decoderEmbedder;

    /// <summary>Creates the module with initial parameters.</summary>
    /// <param name="device">The device that holds the parameters and runs the module.</param>
    /// <param name="options">Channels, groups, points, offsets.</param>
    /// <param name="seed">The seed of the initial parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number in the options is below 1, the scale is above 16, or epsilon is negative or not finite.
    /// </exception>
    /// <exception cref="ArgumentException">The channels are not a multiple of the groups.</exception>
    /// <exception cref="NotSupportedException">
    /// The device does not support the element type, or the normalisation is <see cref="FeatureNormKind.Layer"/>.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    public SapaDeformableUpsampler(ComputeDevice device, SapaDeformableOptions options, int seed = 0)
        : base(device, Specs(device, options), seed)
    {
        Options = options;
        attention = options.Attention;
        encoderEmbedder = new Embedder(
            DeformableParameters.Norm("norm_y", options), p => p["q.weight"], p => p.Find("q.bias"));
        decoderEmbedder = new Embedder(
            DeformableParameters.Norm("norm_x", options),
            p => p.Stack(DeformableParameters.Matrices)!,
            p => p.Stack(DeformableParameters.Biases));
    }

    /// <summary>Gets the options of the module.</summary>
    public SapaDeformableOptions Options { get; }

    private int KeyChannels => Options.Groups * Options.EmbeddingChannels;

    /// <summary>Upsamples decoder features.</summary>
    /// <param name="encoder">Encoder features (the guide), [B, Cy, s·H, s·W].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <returns>The output, [B, Cx, s·H, s·W], in the format of the decoder features.</returns>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or the module was made for other numbers of channels.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The features are not on the device of the module.</exception>
    /// <exception cref="NotSupportedException">s·H·s·W·P is 2²⁹ or more.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map, the module or its device was disposed.</exception>
    public FeatureMap<T> Forward(FeatureMap<T> encoder, FeatureMap<T> decoder)
    {
        var output = Run(encoder, decoder, null, out var context);
        context.Dispose();
        return output;
    }

    /// <summary>Upsamples decoder features into an existing map.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T}, FeatureMap{T})" path="/exception"/>
    /// <param name="encoder">Encoder features (the guide), [B, Cy, s·H, s·W].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <param name="output">Where the output is written, [B, Cx, s·H, s·W], in either format.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="output"/> has another shape, or shares memory with the features.
    /// </exception>
    public void Forward(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Run(encoder, decoder, output, out var context);
        context.Dispose();
    }

    /// <summary>Upsamples decoder features and returns a context for the backward.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T}, FeatureMap{T})" path="/*[not(self::summary or self::param)]"/>
    /// <param name="encoder">Encoder features (the guide), [B, Cy, s·H, s·W].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <param name="context">The context for <see cref="Backward"/>, which the caller disposes.</param>
    public FeatureMap<T> Forward(
        FeatureMap<T> encoder, FeatureMap<T> decoder, out SapaDeformableContext<T> context) =>
        Run(encoder, decoder, null, out context);

    /// <summary>Computes the gradients of both inputs and of every parameter from the gradient of the output.</summary>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, Cx, s·H, s·W].</param>
    /// <returns>The gradients, which the caller disposes.</returns>
    /// <exception cref="ArgumentException">
    /// Another module made the context, or the gradient does not have the shape of the output.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map, the context, the module or its device was disposed.</exception>
    public SapaGradients<T> Backward(SapaDeformableContext<T> context, FeatureMap<T> gradOutput)
    {
        ArgumentNullException.ThrowIfNull(context);
        CheckContext(context.Module, nameof(context));
        using var call = Operands.Hold(context.Encoder, context.Decoder);
        using var parameters = HoldParameters();
        using var intermediates = context.Hold();
        var attended = DeformableAttention.Backward(
            context.EncoderEmbedding.Values!, context.Key, context.Decoder, context.Offsets, gradOutput, attention);
        using var gradQuery = attended.Query!;
        using var gradKey = attended.Key!;
        using var gradOffsets = attended.Offsets!;
        var gradDecoder = attended.Value!;
        var gradEncoder = FeatureMap<T>.CreateLike(context.Encoder);
        var values = ValuesFor(context.Decoder);
        var gradients = values.CreateLike();

        using var gradProjection = Embedder.CreateValues(
            context.Decoder, KeyChannels + DeformableParameters.OffsetChannels(Options));
        using var keyPart = gradProjection.Channels(0, KeyChannels);
        using var offsetPart = gradProjection.Channels(KeyChannels, DeformableParameters.OffsetChannels(Options));
        keyPart.CopyFrom(gradKey);
        OffsetResampling.Backward(gradOffsets, offsetPart, Options.Scale, Options.HighResolutionOffsets);
        encoderEmbedder.Backward(
            values, gradients, context.Encoder, context.EncoderEmbedding, gradQuery, null, gradEncoder, accumulate: false);
        decoderEmbedder.Backward(
            values, gradients, context.Decoder, context.DecoderEmbedding, gradProjection, null, gradDecoder, accumulate: true);
        return new SapaGradients<T>(gradEncoder, gradDecoder, gradients.HandOver());
    }

    private static IReadOnlyList<ParameterSpec> Specs(ComputeDevice device, SapaDeformableOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckDevice(device, window: 1);
        return DeformableParameters.Specs(options);
    }

    private FeatureMap<T> Run(
        FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? output, out SapaDeformableContext<T> context)
    {
        Check(encoder, decoder, output);
        using var call = Operands.Hold(encoder, decoder, output);
        using var parameters = HoldParameters();
        var values = ValuesFor(decoder);
        var encoderEmbedding = encoderEmbedder.Forward(values, encoder);
        var decoderEmbedding = decoderEmbedder.Forward(values, decoder);
        var key = decoderEmbedding.Values!.Channels(0, KeyChannels);
        using var cells = decoderEmbedding.Values.Channels(KeyChannels, DeformableParameters.OffsetChannels(Options));
        var offsets = Embedder.CreateValues(encoder, Options.Groups * Options.Points * 2);
        OffsetResampling.Forward(cells, offsets, Options.Scale, Options.HighResolutionOffsets);
        context = new SapaDeformableContext<T>
        {
            Module = this,
            Encoder = encoder,
            Decoder = decoder,
            EncoderEmbedding = encoderEmbedding,
            DecoderEmbedding = decoderEmbedding,
            Key = key,
            Offsets = offsets,
        };
        output ??= FeatureMap<T>.Create(decoder.Device, DeformableShapes.Output(decoder, offsets), decoder.Format);
        DeformableAttention.Forward(encoderEmbedding.Values!, key, decoder, offsets, output, attention);
        return output;
    }

    private void Check(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? output)
    {
        Operand y = new(nameof(encoder), encoder), x = new(nameof(decoder), decoder);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);
        CheckFeatures(y, Options.EncoderChannels, y, x);
        CheckFeatures(x, Options.DecoderChannels, y, x);
        if (encoder.Shape.Batch != decoder.Shape.Batch
            || encoder.Shape.Height != (long)decoder.Shape.Height * Options.Scale
            || encoder.Shape.Width != (long)decoder.Shape.Width * Options.Scale)
        {
            throw new ArgumentException(
                $"'encoder' must have as many images as 'decoder' and {Options.Scale} times its rows and columns. " +
                OperandChecks.Describe(y, x),
                nameof(encoder));
        }
        var high = encoder.Shape;
        CheckOutput(output, new MapShape(high.Batch, Options.DecoderChannels, high.Height, high.Width), y, x);
    }
}

using SapaGpu.Layers;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// The SAPA upsampler (Lu et al., <i>SAPA: Similarity-Aware Point Affiliation for Feature Upsampling</i>, NeurIPS 2022,
/// section 4.2): upsamples decoder features x to the resolution of encoder features y.
/// </summary>
/// <remarks>
/// <code>
/// inner product  query = norm(y)                        key = norm(x)
/// bilinear       query = q(norm(y))                     key = k(norm(x))
/// gated          query = g·qy(norm(y)) + (1 − g)·qx(x↑)   key = k(norm(x)),  g = sigmoid(gate(norm(x)))↑
/// concatenated   query = q(norm(y), x↑)                 key = k(norm(x))
/// output = WindowAttention(query, key, x or v(norm(x)))   [B, C, OH, OW]
/// </code>
/// <para>↑ is nearest-neighbour upsampling, which is never carried out: projections of x are computed at low
/// resolution. Where norm is not written, x is not normalised. LayerNorm runs over the channels of each pixel, inside
/// the projection kernel where there is a projection; GroupNorm runs over groups of channels of the whole image.</para>
/// <para>The two maps may have any sizes, as long as the output has at most 16 times the rows and columns of x. The
/// parameters have the names of the authors' modules: norm_y, norm_x, q (qy, qx), k, v and gate, each with weight and
/// bias. Initial values: projections normal with standard deviation 0.02, biases 0, normalisations the identity.</para>
/// </remarks>
/// <typeparam name="T">
/// The element type of the features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double
/// for double, otherwise float.
/// </typeparam>
public sealed class SapaUpsampler<T> : UpsamplerModule<T>
    where T : unmanaged
{
    private readonly WindowAttentionOptions attention;
    private readonly Embedder encoderEmbedder;
    private readonly Embedder decoderEmbedder;
    private readonly Embedder? decoderQuery;

    /// <summary>Creates the module with initial parameters.</summary>
    /// <param name="device">The device that holds the parameters and runs the module.</param>
    /// <param name="options">Similarity, channels, window, border, normalisations.</param>
    /// <param name="seed">The seed of the initial parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number of channels is below 1, or epsilon is negative or not finite.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// The channels do not fit the inner product, or are not a multiple of the groups of GroupNorm.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// The window is not an odd number from 1 to 15, or the device does not support the element type.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    public SapaUpsampler(ComputeDevice device, SapaOptions options, int seed = 0)
        : base(device, Specs(device, options), seed)
    {
        Options = options;
        attention = options.Attention;
        bool projects = options.Similarity != Similarity.InnerProduct;
        int guide = options.EncoderChannels;
        encoderEmbedder = new Embedder(
            SapaParameters.Norm("norm_y", options),
            projects ? p => SapaParameters.EncoderMatrix(p, guide) : null,
            p => p.Find("q.bias") ?? p.Find("qy.bias"),
            keepsNormalised: !projects);
        decoderEmbedder = new Embedder(
            SapaParameters.Norm("norm_x", options),
            projects || options.ValueChannels is not null ? p => p.Stack(SapaParameters.Matrices)! : null,
            p => p.Stack(SapaParameters.Biases),
            keepsNormalised: !projects);
        decoderQuery = options.Similarity switch
        {
            Similarity.GatedBilinear => new Embedder(null, p => p["qx.weight"], p => p.Find("qx.bias")),
            Similarity.Concatenated => new Embedder(
                null, p => p.Columns("q.weight", guide, options.DecoderChannels), null),
            _ => null,
        };
    }

    /// <summary>Gets the options of the module.</summary>
    public SapaOptions Options { get; }

    /// <summary>Upsamples decoder features.</summary>
    /// <param name="encoder">Encoder features (the guide), [B, Cy, OH, OW].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <returns>
    /// The output, [B, C, OH, OW] with C of <see cref="SapaOptions.OutputChannels"/>, in the format of the decoder
    /// features.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The batch sizes differ, the module was made for other numbers of channels, or the encoder map is smaller than the
    /// decoder map without <see cref="SapaOptions.AllowsDownsampling"/>.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The features are not on the device of the module.</exception>
    /// <exception cref="NotSupportedException">
    /// The output is more than 16 times as large as the decoder map along an axis, or the decoder map is smaller than
    /// the window and the border is <see cref="BorderRule.Shifted"/>.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map, the module or its device was disposed.</exception>
    public FeatureMap<T> Forward(FeatureMap<T> encoder, FeatureMap<T> decoder)
    {
        var output = Run(encoder, decoder, null, keep: false, out var context);
        context.Dispose();
        return output;
    }

    /// <summary>Upsamples decoder features into an existing map.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T}, FeatureMap{T})" path="/exception"/>
    /// <param name="encoder">Encoder features (the guide), [B, Cy, OH, OW].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <param name="output">
    /// Where the output is written, [B, C, OH, OW] with C of <see cref="SapaOptions.OutputChannels"/>, in either format.
    /// </param>
    /// <exception cref="ArgumentException">
    /// <paramref name="output"/> has another shape, or shares memory with the features.
    /// </exception>
    public void Forward(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Run(encoder, decoder, output, keep: false, out var context);
        context.Dispose();
    }

    /// <summary>Upsamples decoder features and returns a context for the backward.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T}, FeatureMap{T})" path="/*[not(self::summary or self::param)]"/>
    /// <param name="encoder">Encoder features (the guide), [B, Cy, OH, OW].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <param name="context">The context for <see cref="Backward"/>, which the caller disposes.</param>
    public FeatureMap<T> Forward(FeatureMap<T> encoder, FeatureMap<T> decoder, out SapaContext<T> context) =>
        Run(encoder, decoder, null, keep: true, out context);

    /// <summary>Computes the gradients of both inputs and of every parameter from the gradient of the output.</summary>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW].</param>
    /// <returns>The gradients, which the caller disposes.</returns>
    /// <exception cref="ArgumentException">
    /// Another module made the context, or the gradient does not have the shape of the output.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map, the context, the module or its device was disposed.</exception>
    public SapaGradients<T> Backward(SapaContext<T> context, FeatureMap<T> gradOutput)
    {
        ArgumentNullException.ThrowIfNull(context);
        CheckContext(context.Module, nameof(context));
        using var call = Operands.Hold(context.Encoder, context.Decoder);
        using var parameters = HoldParameters();
        using var intermediates = context.Hold();
        var (encoder, decoder) = (context.Encoder, context.Decoder);
        var values = ValuesFor(decoder);
        var gradients = values.CreateLike();
        var gradEncoder = FeatureMap<T>.CreateLike(encoder);
        var gradDecoder = FeatureMap<T>.CreateLike(decoder);
        using var gradQuery = FeatureMap<T>.CreateLike(context.Attention.Query);
        using var gradProjection = context.DecoderEmbedding.Values is { } embedded
            ? Embedder.CreateValues(decoder, embedded.Shape.Channels)
            : null;
        bool ownKey = Options.Similarity == Similarity.InnerProduct;
        using var gradKey = ownKey ? FeatureMap<T>.CreateLike(decoder) : SapaParameters.Key(gradProjection!, Options);
        using var gradProjected = SapaParameters.Value(gradProjection, Options);
        WindowAttention.Backward(context.Attention, gradOutput, gradQuery, gradKey, gradProjected ?? gradDecoder);
        bool written = gradProjected is null;

        var gradEncoderQuery = gradQuery;
        using var gated = context.Gate is null ? null : FeatureMap<T>.CreateLike(gradQuery);
        if (decoderQuery is not null)
        {
            using var gradDecoderQuery = FeatureMap<T>.CreateLike(context.DecoderQuery!);
            using var gradGate = SapaParameters.Gate(gradProjection, Options);
            QueryBlend.Backward(
                context.EncoderEmbedding.Values!,
                context.DecoderQuery!,
                context.Gate,
                gradQuery,
                gated,
                gradDecoderQuery,
                gradGate);
            gradEncoderQuery = gated ?? gradQuery;
            using var raw = new Embedding<T>(decoder, false, null, null);
            decoderQuery.Backward(values, gradients, decoder, raw, gradDecoderQuery, null, gradDecoder, written);
            written = true;
        }
        decoderEmbedder.Backward(
            values,
            gradients,
            decoder,
            context.DecoderEmbedding,
            gradProjection,
            ownKey ? gradKey : null,
            gradDecoder,
            accumulate: written);
        encoderEmbedder.Backward(
            values,
            gradients,
            encoder,
            context.EncoderEmbedding,
            ownKey ? null : gradEncoderQuery,
            ownKey ? gradEncoderQuery : null,
            gradEncoder,
            accumulate: false);
        return new SapaGradients<T>(gradEncoder, gradDecoder, gradients.HandOver());
    }

    private static IReadOnlyList<ParameterSpec> Specs(ComputeDevice device, SapaOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckDevice(device, options.Window);
        return SapaParameters.Specs(options);
    }

    private FeatureMap<T> Run(
        FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? output, bool keep, out SapaContext<T> context)
    {
        Check(encoder, decoder, output);
        using var call = Operands.Hold(encoder, decoder, output);
        using var parameters = HoldParameters();
        var values = ValuesFor(decoder);
        var encoderEmbedding = encoderEmbedder.Forward(values, encoder);
        var decoderEmbedding = decoderEmbedder.Forward(values, decoder);
        bool ownKey = Options.Similarity == Similarity.InnerProduct;
        var key = ownKey ? decoderEmbedding.Normalised! : SapaParameters.Key(decoderEmbedding.Values!, Options);
        var projected = SapaParameters.Value(decoderEmbedding.Values, Options);
        var gate = SapaParameters.Gate(decoderEmbedding.Values, Options);
        var query = ownKey ? encoderEmbedding.Normalised! : encoderEmbedding.Values!;
        FeatureMap<T>? fromDecoder = null;
        if (decoderQuery is not null)
        {
            using var raw = decoderQuery.Forward(values, decoder);
            fromDecoder = raw.Values!.Channels(0, raw.Values.Shape.Channels);
            var fromEncoder = query;
            query = Embedder.CreateValues(encoder, fromEncoder.Shape.Channels);
            QueryBlend.Forward(fromEncoder, fromDecoder, gate, query);
        }

        var shape = new WindowShape(
            key.Shape, Options.OutputChannels, encoder.Shape.Height, encoder.Shape.Width, Options.Window);
        var attentionContext = keep ? new WindowAttentionContext<T>(decoder.Device, shape, attention) : null;
        output ??= FeatureMap<T>.Create(decoder.Device, shape.OutputShape, decoder.Format);
        WindowAttention.Forward(query, key, projected ?? decoder, output, attention, attentionContext);
        context = new SapaContext<T>(
            this,
            encoder,
            decoder,
            encoderEmbedding,
            decoderEmbedding,
            fromDecoder,
            gate,
            projected,
            ownKey ? null : key,
            decoderQuery is null ? null : query,
            attentionContext)
        {
            EncoderEmbedding = encoderEmbedding,
            DecoderEmbedding = decoderEmbedding,
            DecoderQuery = fromDecoder,
            Gate = gate,
            Attention = attentionContext!,
        };
        return output;
    }

    private void Check(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? output)
    {
        Operand y = new(nameof(encoder), encoder), x = new(nameof(decoder), decoder);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);
        CheckFeatures(y, Options.EncoderChannels, y, x);
        CheckFeatures(x, Options.DecoderChannels, y, x);
        GuideSizeCheck.Require(
            Options,
            (encoder.Shape.Height, encoder.Shape.Width),
            (decoder.Shape.Height, decoder.Shape.Width),
            OperandChecks.Describe([y, x]));
        _ = WindowShapes.Infer(
            nameof(encoder), encoder, nameof(decoder), decoder, 1, Options.OutputChannels, attention, y, x);
        var high = encoder.Shape;
        CheckOutput(output, new MapShape(high.Batch, Options.OutputChannels, high.Height, high.Width), y, x);
    }
}

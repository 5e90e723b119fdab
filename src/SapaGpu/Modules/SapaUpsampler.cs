namespace SapaGpu;

/// <summary>
/// The SAPA-B upsampler (Lu et al., <i>SAPA: Similarity-Aware Point Affiliation for Feature Upsampling</i>, NeurIPS 2022,
/// section 4.2, bilinear similarity): brings decoder features to the resolution of encoder features.
/// </summary>
/// <remarks>
/// <code>
/// query  = Linear_q(LayerNorm_y(encoder))        [B, D, s·H, s·W]
/// key    = Linear_k(LayerNorm_x(decoder))        [B, D, H, W]
/// output = WindowAttention(query, key, decoder)  [B, C, s·H, s·W]
/// </code>
/// <para>LayerNorm runs over the channels of one pixel. The value is the decoder feature itself. The scale s follows
/// from the sizes of the two maps. The normalisation is part of the projection kernel, so each map is read once.</para>
/// <para>Parameters, with the names of the authors' modules: norm_y.weight, norm_y.bias, q.weight, q.bias (encoder),
/// norm_x.weight, norm_x.bias, k.weight, k.bias (decoder). Initial values: matrices normal with deviation 0.02,
/// biases 0, normalisations the identity.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class SapaUpsampler<T> : IDisposable
    where T : unmanaged
{
    private readonly NormalisedProjection<T> queryProjection;
    private readonly NormalisedProjection<T> keyProjection;
    private readonly WindowAttentionOptions attention;
    private bool disposed;

    /// <summary>Creates the module with initial parameters.</summary>
    /// <param name="device">Where the parameters live and the module runs.</param>
    /// <param name="options">Channels, window, border, bias.</param>
    /// <param name="seed">The seed of the initial parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number of channels is below 1, or epsilon is negative.</exception>
    /// <exception cref="NotSupportedException">The window or the element type is not supported.</exception>
    public SapaUpsampler(Device device, SapaOptions options, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EncoderChannels, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.DecoderChannels, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EmbeddingChannels, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.Epsilon, nameof(options));
        var reasons = OpSupport.Reasons(device.Info, ElementTypes.Of<T>(), options.Window, scale: 1);
        if (reasons.Count > 0)
            throw new NotSupportedException($"The module does not run on {device}: {string.Join("; ", reasons)}.");

        Device = device;
        Options = options;
        attention = new WindowAttentionOptions { Window = options.Window, Border = options.Border };
        var random = new Random(seed);
        queryProjection = new NormalisedProjection<T>(
            device, "norm_y", "q", options.EncoderChannels, options.EmbeddingChannels, options.HasBias, options.Epsilon, random);
        keyProjection = new NormalisedProjection<T>(
            device, "norm_x", "k", options.DecoderChannels, options.EmbeddingChannels, options.HasBias, options.Epsilon, random);
        Parameters = [.. queryProjection.Parameters, .. keyProjection.Parameters];
    }

    /// <summary>Gets the device.</summary>
    public Device Device { get; }

    /// <summary>Gets the choices that the module was made with.</summary>
    public SapaOptions Options { get; }

    /// <summary>Gets the parameters; write their values with <see cref="Tensor{T}.CopyFrom"/>.</summary>
    public IReadOnlyList<Parameter<T>> Parameters { get; }

    /// <summary>Finds a parameter by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message lists the names.</exception>
    public Parameter<T> this[string name] =>
        Parameters.FirstOrDefault(parameter => parameter.Name == name)
            ?? throw new KeyNotFoundException(
                $"There is no parameter '{name}'; there are {string.Join(", ", Parameters.Select(p => p.Name))}.");

    /// <summary>Upsamples decoder features.</summary>
    /// <param name="encoder">Encoder features, [B, Cy, s·H, s·W].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <returns>The output, [B, Cx, s·H, s·W], in the format of the decoder features.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together or to the module.</exception>
    /// <exception cref="DeviceMismatchException">The features are on another device than the module.</exception>
    /// <exception cref="NotSupportedException">The scale is not supported.</exception>
    /// <exception cref="ObjectDisposedException">A tensor, the module or its device was disposed.</exception>
    public Tensor<T> Forward(Tensor<T> encoder, Tensor<T> decoder)
    {
        Check(encoder, decoder);
        using var device = Device.Use();
        using var useEncoder = encoder.Use();
        using var useDecoder = decoder.Use();
        using var query = queryProjection.Forward(encoder);
        using var key = keyProjection.Forward(decoder);
        return WindowAttention.Forward(query.Values, key.Values, decoder, attention);
    }

    /// <summary>Upsamples decoder features and keeps what the backward needs.</summary>
    /// <inheritdoc cref="Forward(Tensor{T}, Tensor{T})"/>
    /// <param name="encoder">Encoder features, [B, Cy, s·H, s·W].</param>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <param name="context">What <see cref="Backward"/> needs.</param>
    public Tensor<T> Forward(Tensor<T> encoder, Tensor<T> decoder, out SapaContext<T> context)
    {
        Check(encoder, decoder);
        using var device = Device.Use();
        using var useEncoder = encoder.Use();
        using var useDecoder = decoder.Use();
        var query = queryProjection.Forward(encoder);
        var key = keyProjection.Forward(decoder);
        var output = WindowAttention.Forward(query.Values, key.Values, decoder, attention, out var attentionContext);
        context = new SapaContext<T>(this, encoder, decoder, query, key, attentionContext);
        return output;
    }

    /// <summary>The gradients of both inputs and of every parameter, given that of the output.</summary>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, Cx, s·H, s·W].</param>
    /// <exception cref="ArgumentException">The context is another module's, or the shape is wrong.</exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="ObjectDisposedException">A tensor, the context, the module or its device was disposed.</exception>
    public SapaGradients<T> Backward(SapaContext<T> context, Tensor<T> gradOutput)
    {
        ArgumentNullException.ThrowIfNull(context);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!ReferenceEquals(context.Module, this))
            throw new ArgumentException("The context was made by another module.", nameof(context));
        using var device = Device.Use();
        using var useEncoder = context.Encoder.Use();
        using var useDecoder = context.Decoder.Use();
        using var gradQuery = Tensor<T>.Create(Device, context.Query.Values.Shape, context.Query.Values.Format);
        using var gradKey = Tensor<T>.Create(Device, context.Key.Values.Shape, context.Key.Values.Format);
        var gradEncoder = Tensor<T>.Create(Device, context.Encoder.Shape, context.Encoder.Format);
        var gradDecoder = Tensor<T>.Create(Device, context.Decoder.Shape, context.Decoder.Format);
        WindowAttention.Backward(context.Attention, gradOutput, gradQuery, gradKey, gradDecoder);

        // The decoder features are value and, normalised, key: the second gradient is added to the first.
        var gradients = new Dictionary<string, Tensor<T>>();
        queryProjection.Backward(context.Encoder, context.Query, gradQuery, gradEncoder, accumulate: false, gradients);
        keyProjection.Backward(context.Decoder, context.Key, gradKey, gradDecoder, accumulate: true, gradients);
        return new SapaGradients<T>(gradEncoder, gradDecoder, gradients);
    }

    /// <summary>Releases the parameters.</summary>
    public void Dispose()
    {
        disposed = true;
        queryProjection.Dispose();
        keyProjection.Dispose();
    }

    private void Check(Tensor<T> encoder, Tensor<T> decoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);
        ObjectDisposedException.ThrowIf(disposed, this);
        Operand y = new(nameof(encoder), encoder), x = new(nameof(decoder), decoder);
        OperandChecks.SameDevice(new("the module", Parameters[0].Value), y, x);
        if (encoder.Shape.Channels != Options.EncoderChannels || decoder.Shape.Channels != Options.DecoderChannels)
        {
            throw new ArgumentException(
                $"The module was made for {Options.EncoderChannels} encoder and {Options.DecoderChannels} decoder " +
                $"channels. {OperandChecks.Describe(y, x)}",
                nameof(encoder));
        }
        var shape = WindowShapes.Infer(
            nameof(encoder),
            encoder.Shape,
            nameof(decoder),
            decoder.Shape,
            Options.Window,
            Options.EmbeddingChannels,
            Options.DecoderChannels,
            y,
            x);
        OperandChecks.Supported(encoder, Options.Window, shape.Scale, y, x);
    }
}

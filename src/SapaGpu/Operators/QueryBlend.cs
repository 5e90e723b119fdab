using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Blends an encoder part and a decoder part into queries, with or without a gate. The decoder part is never upsampled
/// in memory.
/// </summary>
/// <remarks>
/// <para>With cell = (⌊y·H/OH⌋, ⌊x·W/OW⌋):</para>
/// <code>
/// gated         query(y, x) = g·encoder(y, x) + (1 − g)·decoder(cell),  g = sigmoid(gate(cell))
/// without gate  query(y, x) = encoder(y, x) + decoder(cell)
/// </code>
/// <para>Shapes: encoder and query [B, D, OH, OW], decoder [B, D, H, W], gate [B, 1, H, W] before the sigmoid, each in
/// either <see cref="MemoryFormat"/>. Source: SAPA (NeurIPS 2022), section 4.2, gated addition.</para>
/// </remarks>
public static class QueryBlend
{
    /// <summary>Blends queries into an existing map.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="encoder">The encoder part, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder part, [B, D, H, W].</param>
    /// <param name="gate">The gate before the sigmoid, [B, 1, H, W]; null for the sum without a gate.</param>
    /// <param name="query">Where the query is written, [B, D, OH, OW].</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or <paramref name="query"/> shares memory with an operand.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Forward<T>(
        FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? gate, FeatureMap<T> query)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        Operand q = new(nameof(query), query);
        Check(encoder, decoder, gate, q);
        Operand e = new(nameof(encoder), encoder), d = new(nameof(decoder), decoder), g = new(nameof(gate), gate);
        OperandChecks.NoOverlap(nameof(query), query, e, d, g);
        using var call = Operands.Hold(encoder, decoder, gate, query);
        QueryBlendKernels.For(encoder).Forward(encoder, decoder, gate, query);
    }

    /// <summary>Blends queries.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T})" path="/typeparam"/>
    /// <param name="encoder">The encoder part, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder part, [B, D, H, W].</param>
    /// <param name="gate">The gate before the sigmoid, [B, 1, H, W]; null for the sum without a gate.</param>
    /// <returns>The query, [B, D, OH, OW], in the format of the encoder part.</returns>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? gate)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var query = FeatureMap<T>.CreateLike(encoder);
        Forward(encoder, decoder, gate, query);
        return query;
    }

    /// <summary>Computes the gradients of both parts and the gate from the gradient of the query.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T}, FeatureMap{T}?)"
    /// path="/*[not(self::summary or self::param or self::returns)]"/>
    /// <param name="encoder">The encoder part of the forward, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder part of the forward, [B, D, H, W].</param>
    /// <param name="gate">The gate of the forward, [B, 1, H, W]; null if it had none.</param>
    /// <param name="gradQuery">The gradient of the query, [B, D, OH, OW].</param>
    /// <returns>
    /// The gradients, each in the format of its operand; without a gate, that of the encoder part equals
    /// <paramref name="gradQuery"/> and is null.
    /// </returns>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    public static QueryBlendGradients<T> Backward<T>(
        FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? gate, FeatureMap<T> gradQuery)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);
        var gradEncoder = gate is null ? null : FeatureMap<T>.CreateLike(encoder);
        var gradDecoder = FeatureMap<T>.CreateLike(decoder);
        var gradGate = gate is null ? null : FeatureMap<T>.CreateLike(gate);
        Backward(encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, gradGate);
        return new QueryBlendGradients<T>(gradEncoder, gradDecoder, gradGate);
    }

    /// <summary>Describes the kernel that the forward runs for these operands.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="encoder">The encoder part, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder part, [B, D, H, W].</param>
    /// <param name="gate">The gate before the sigmoid, [B, 1, H, W]; null for the sum without a gate.</param>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="ObjectDisposedException">An operand was disposed.</exception>
    public static string Describe<T>(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? gate)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(encoder);
        Check(encoder, decoder, gate, new Operand("query", encoder));
        return $"{KernelVariant.Choose(encoder.Device).DescribeAccess()}, {(gate is null ? "sum" : "gated")}";
    }

    /// <summary>
    /// Computes the gradients of both parts and the gate from the gradient of the query, into existing maps.
    /// </summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="encoder">The encoder part of the forward, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder part of the forward, [B, D, H, W].</param>
    /// <param name="gate">The gate of the forward, [B, 1, H, W]; null if it had none.</param>
    /// <param name="gradQuery">The gradient of the query, [B, D, OH, OW].</param>
    /// <param name="gradEncoder">
    /// Where to write the gradient of the encoder part, [B, D, OH, OW]; null without a gate, where it equals
    /// <paramref name="gradQuery"/>.
    /// </param>
    /// <param name="gradDecoder">Where to write the gradient of the decoder part, [B, D, H, W].</param>
    /// <param name="gradGate">Where to write the gradient of the gate, [B, 1, H, W]; null without a gate.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, <paramref name="gradEncoder"/> and <paramref name="gradGate"/> are not both given
    /// with a gate and both null without one, or a gradient that is written shares memory with another or with an operand.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Backward<T>(
        FeatureMap<T> encoder,
        FeatureMap<T> decoder,
        FeatureMap<T>? gate,
        FeatureMap<T> gradQuery,
        FeatureMap<T>? gradEncoder,
        FeatureMap<T> gradDecoder,
        FeatureMap<T>? gradGate)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradQuery);
        ArgumentNullException.ThrowIfNull(gradDecoder);
        Operand q = new(nameof(gradQuery), gradQuery), ge = new(nameof(gradEncoder), gradEncoder);
        Operand gd = new(nameof(gradDecoder), gradDecoder), gg = new(nameof(gradGate), gradGate);
        Check(encoder, decoder, gate, q);
        OperandChecks.SameDevice(q, ge, gd, gg);
        if (gradEncoder is null != gate is null || gradGate is null != gate is null)
        {
            throw new ArgumentException(
                $"'gradEncoder' and 'gradGate' must be {(gate is null ? "null without" : "given with")} a gate. " +
                OperandChecks.Describe(q, ge, gd, gg),
                nameof(gradGate));
        }
        OperandChecks.Shape(nameof(gradDecoder), gradDecoder, decoder.Shape, q, gd);
        if (gate is not null)
        {
            OperandChecks.Shape(nameof(gradEncoder), gradEncoder!, encoder.Shape, q, ge);
            OperandChecks.Shape(nameof(gradGate), gradGate!, gate.Shape, q, gg);
        }
        Operand e = new(nameof(encoder), encoder), d = new(nameof(decoder), decoder), g = new(nameof(gate), gate);
        foreach (var (name, gradient) in (ReadOnlySpan<Operand>)[ge, gd, gg])
            OperandChecks.NoOverlap(name, gradient, e, d, g, q, ge, gd, gg);
        using var call = Operands.Hold(encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, gradGate);
        QueryBlendKernels.For(encoder).Backward(
            encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, gradGate);
    }

    private static void Check<T>(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? gate, Operand query)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);
        Operand e = new(nameof(encoder), encoder), d = new(nameof(decoder), decoder), g = new(nameof(gate), gate);
        OperandChecks.SameDevice(e, d, g, query);
        SupportChecks.Require(encoder, e, d, g, query);
        var (high, low) = (encoder.Shape, decoder.Shape);
        OperandChecks.Shape(
            nameof(decoder), decoder, new MapShape(high.Batch, high.Channels, low.Height, low.Width), e, d, g, query);
        OperandChecks.Shape(query.Name, query.Map!, high, e, d, g, query);
        if (gate is not null)
        {
            OperandChecks.Shape(
                nameof(gate), gate, new MapShape(low.Batch, 1, low.Height, low.Width), e, d, g, query);
        }
    }
}

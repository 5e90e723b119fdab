using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Queries made of a part of the encoder and a part of the decoder: query(y, x) = g·encoder(y, x) + (1 −
/// g)·decoder(cell), g = sigmoid(gate(cell)), or without a gate encoder(y, x) + decoder(cell), where cell = (⌊y·H/OH⌋,
/// ⌊x·W/OW⌋). No part is brought to the high resolution in memory.
/// </summary>
/// <remarks>
/// Shapes: encoder and query [B, D, OH, OW], decoder [B, D, H, W], gate [B, 1, H, W] before the sigmoid, each in either
/// format. Source: SAPA (NeurIPS 2022), section 4.2, gated addition.
/// </remarks>
public static class QueryBlend
{
    /// <summary>Blends queries into a map of the caller.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="encoder">The encoder's part, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder's part, [B, D, H, W].</param>
    /// <param name="gate">The gate before the sigmoid, [B, 1, H, W]; null for the plain sum.</param>
    /// <param name="query">Where the query is written, [B, D, OH, OW].</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not belong together, or a map to write bilinear weights memory.
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
        QueryBlendKernels.For(encoder.ElementType).Forward(encoder, decoder, gate, query);
    }

    /// <summary>Blends queries.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T})"/>
    /// <param name="encoder">The encoder's part, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder's part, [B, D, H, W].</param>
    /// <param name="gate">The gate before the sigmoid, [B, 1, H, W]; null for the plain sum.</param>
    /// <returns>The query, [B, D, OH, OW], in the format of the encoder's part.</returns>
    public static FeatureMap<T> Forward<T>(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? gate)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var query = FeatureMap<T>.CreateLike(encoder);
        Forward(encoder, decoder, gate, query);
        return query;
    }

    /// <summary>The gradients of both parts and of the gate; one pass computes them all.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T}, FeatureMap{T}?)"/>
    /// <param name="encoder">The encoder's part of the forward, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder's part of the forward, [B, D, H, W].</param>
    /// <param name="gate">The gate of the forward; null for the plain sum.</param>
    /// <param name="gradQuery">The gradient of the query, [B, D, OH, OW].</param>
    /// <returns>
    /// The gradients; without a gate, that of the encoder's part is the gradient of the query, and null.
    /// </returns>
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

    /// <summary>Says in words which kernel the forward runs for these operands.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="encoder">The encoder's part, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder's part, [B, D, H, W].</param>
    /// <param name="gate">The gate before the sigmoid; null for the plain sum.</param>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    public static string Describe<T>(FeatureMap<T> encoder, FeatureMap<T> decoder, FeatureMap<T>? gate)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(encoder);
        Check(encoder, decoder, gate, new Operand("query", encoder));
        return $"{KernelVariant.Choose(encoder.Device).DescribeAccess()}, {(gate is null ? "sum" : "gated")}";
    }

    /// <summary>
    /// The gradients of both parts and of the gate, into maps of the caller; without a gate, that of the encoder's part
    /// is the gradient of the query itself.
    /// </summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="encoder">The encoder's part of the forward, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder's part of the forward, [B, D, H, W].</param>
    /// <param name="gate">The gate of the forward; null for the plain sum.</param>
    /// <param name="gradQuery">The gradient of the query, [B, D, OH, OW].</param>
    /// <param name="gradEncoder">Where the gradient of the encoder's part is written; null without a gate.</param>
    /// <param name="gradDecoder">Where the gradient of the decoder's part is written.</param>
    /// <param name="gradGate">Where the gradient of the gate is written; null without a gate.</param>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T})" path="/exception"/>
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
                "The gradients of the encoder's part and of the gate are asked for with a gate, and only then. " +
                OperandChecks.Describe(q, ge, gd, gg),
                nameof(gradGate));
        }
        OperandChecks.Shape(nameof(gradDecoder), gradDecoder, decoder.Shape, q, gd);
        if (gate is not null)
        {
            OperandChecks.Shape(nameof(gradEncoder), gradEncoder!, encoder.Shape, q, ge);
            OperandChecks.Shape(nameof(gradGate), gradGate!, gate.Shape, q, gg);
        }
        using var call = Operands.Hold(encoder, decoder, gate, gradQuery, gradEncoder, gradDecoder, gradGate);
        QueryBlendKernels.For(encoder.ElementType).Backward(
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

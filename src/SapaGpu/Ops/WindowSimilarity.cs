using SapaGpu.Launch;

namespace SapaGpu;

/// <summary>
/// Local similarity, the first half of window attention: scores[j](y, x) = ⟨query(y, x), key(cell + offset j)⟩, exactly
/// 0 where the tap lies outside the map. Linear in both operands; no atomics, reproducible to the last bit.
/// </summary>
/// <remarks>
/// Shapes: query [B, D, s·H, s·W], key [B, D, H, W], scores [B, K², s·H, s·W], one channel for every tap, row by row.
/// Source: SAPA (NeurIPS 2022), section 4; <c>sim</c> in the reference implementations.
/// </remarks>
public static class WindowSimilarity
{
    /// <summary>Computes the scores.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="query">Query, [B, D, s·H, s·W].</param>
    /// <param name="key">Key, [B, D, H, W].</param>
    /// <param name="window">K, odd, from 1 to 15.</param>
    /// <returns>The scores, [B, K², s·H, s·W], in the format of the query.</returns>
    /// <exception cref="ArgumentException">The shapes do not belong together.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, scale or element type are not supported.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static Tensor<T> Forward<T>(Tensor<T> query, Tensor<T> key, int window = 5)
        where T : unmanaged
    {
        var shape = Check(query, key, window);
        var scores = Tensor<T>.Create(query.Device, shape.WeightsShape, query.Format);
        Run(in shape, query, key, scores);
        return scores;
    }

    /// <summary>Computes the scores into a tensor of the caller.</summary>
    /// <inheritdoc cref="Forward{T}(Tensor{T}, Tensor{T}, int)"/>
    /// <param name="query">Query, [B, D, s·H, s·W].</param>
    /// <param name="key">Key, [B, D, H, W].</param>
    /// <param name="scores">Where the scores are written, [B, K², s·H, s·W], in any format.</param>
    /// <param name="window">K, odd, from 1 to 15.</param>
    public static void Forward<T>(Tensor<T> query, Tensor<T> key, Tensor<T> scores, int window = 5)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(scores);
        var shape = Check(query, key, window);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), s = new(nameof(scores), scores);
        OperandChecks.SameDevice(q, k, s);
        OperandChecks.Shape(nameof(scores), scores, shape.WeightsShape, q, k, s);
        OperandChecks.NoOverlap(nameof(scores), scores, q, k);
        Run(in shape, query, key, scores);
    }

    /// <summary>The gradients of query and key, given that of the scores, written where a tensor is given.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="query">The query of the forward, [B, D, s·H, s·W].</param>
    /// <param name="key">The key of the forward, [B, D, H, W].</param>
    /// <param name="gradScores">The gradient of the scores, [B, K², s·H, s·W].</param>
    /// <param name="gradQuery">Where to write the gradient of the query; null to leave it out.</param>
    /// <param name="gradKey">Where to write the gradient of the key; null to leave it out.</param>
    /// <exception cref="ArgumentException">A shape is wrong, or a tensor to write shares memory with another.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, scale or element type are not supported.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Backward<T>(
        Tensor<T> query, Tensor<T> key, Tensor<T> gradScores, Tensor<T>? gradQuery, Tensor<T>? gradKey)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradScores);
        var shape = Check(query, key, WindowWidth.Of(nameof(gradScores), gradScores));
        Operand q = new(nameof(query), query), k = new(nameof(key), key), g = new(nameof(gradScores), gradScores);
        Operand gq = new(nameof(gradQuery), gradQuery), gk = new(nameof(gradKey), gradKey);
        OperandChecks.SameDevice(q, k, g, gq, gk);
        OperandChecks.Shape(nameof(gradScores), gradScores, shape.WeightsShape, q, k, g);
        if (gradQuery is not null)
            OperandChecks.Shape(nameof(gradQuery), gradQuery, shape.QueryShape, q, k, g, gq, gk);
        if (gradKey is not null)
            OperandChecks.Shape(nameof(gradKey), gradKey, shape.KeyShape, q, k, g, gq, gk);
        OperandChecks.NoOverlap(nameof(gradQuery), gradQuery, q, k, g, gq, gk);
        OperandChecks.NoOverlap(nameof(gradKey), gradKey, q, k, g, gq, gk);
        using var device = query.Device.Use();
        using var useQuery = query.Use();
        using var useKey = key.Use();
        using var useGradScores = gradScores.Use();
        using var useGradQuery = Tensor.Hold(gradQuery);
        using var useGradKey = Tensor.Hold(gradKey);
        if (gradQuery is not null)
            WindowKernels<T>.Instance.Reassembly(in shape, gradScores, key, gradQuery);
        if (gradKey is not null)
            WindowKernels<T>.Instance.Transposed(in shape, gradScores, query, gradKey);
    }

    /// <summary>The gradients of query and key, given that of the scores.</summary>
    /// <inheritdoc cref="Backward{T}(Tensor{T}, Tensor{T}, Tensor{T}, Tensor{T}?, Tensor{T}?)"/>
    /// <returns>The gradients, each in the format of its operand.</returns>
    public static (Tensor<T> Query, Tensor<T> Key) Backward<T>(Tensor<T> query, Tensor<T> key, Tensor<T> gradScores)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        var gradQuery = Tensor<T>.Create(query.Device, query.Shape, query.Format);
        var gradKey = Tensor<T>.Create(key.Device, key.Shape, key.Format);
        Backward(query, key, gradScores, gradQuery, gradKey);
        return (gradQuery, gradKey);
    }

    private static WindowShape Check<T>(Tensor<T> query, Tensor<T> key, int window)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        Operand q = new(nameof(query), query), k = new(nameof(key), key);
        OperandChecks.SameDevice(q, k);
        int channels = key.Shape.Channels;
        var shape = WindowShapes.Infer(
            nameof(query), query.Shape, nameof(key), key.Shape, window, channels, channels, q, k);
        OperandChecks.Shape(nameof(query), query, shape.QueryShape, q, k);
        OperandChecks.Supported(query, window, shape.Scale, q, k);
        return shape;
    }

    private static void Run<T>(in WindowShape shape, Tensor<T> query, Tensor<T> key, Tensor<T> scores)
        where T : unmanaged
    {
        using var device = query.Device.Use();
        using var useQuery = query.Use();
        using var useKey = key.Use();
        using var useScores = scores.Use();
        WindowKernels<T>.Instance.Similarity(in shape, query, key, scores);
    }
}

using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Local similarity, the first step of window attention: scores[j](y, x) = ⟨query(y, x), key(cell + offset j)⟩ with
/// cell = (⌊y·H/OH⌋, ⌊x·W/OW⌋). The operator is linear in each operand, uses no atomics and is bitwise reproducible.
/// </summary>
/// <remarks>
/// <para>Shapes: query [B, D, OH, OW], key [B, D, H, W], scores [B, heads·K², OH, OW], one channel for every tap, row
/// by row and head after head; each head compares its own D/heads channels.</para>
/// <para>A tap outside the map has score 0. With <see cref="BorderRule.Replicate"/> it has the score of the nearest
/// cell; with <see cref="BorderRule.Shifted"/> there is none, because the window is moved inside the map.</para>
/// <para>Source: SAPA (NeurIPS 2022), section 4; <c>sim</c> in the reference implementations.</para>
/// </remarks>
public static class WindowSimilarity
{
    /// <summary>Computes the scores.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">Query, [B, D, OH, OW].</param>
    /// <param name="key">Key, [B, D, H, W].</param>
    /// <param name="options">Window, border and heads; null for the defaults.</param>
    /// <returns>The scores, [B, heads·K², OH, OW], in the format of the query.</returns>
    /// <exception cref="ArgumentException">The shapes do not match, or do not fit the heads.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The window, the ratio of the sizes or the element type is not supported; the message lists every reason.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> query, FeatureMap<T> key, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        var window = Check(query, key, options ?? WindowAttentionOptions.Default);
        var scores = FeatureMap<T>.Create(query.Device, window.WeightsShape, query.Format);
        Run(in window, query, key, scores);
        return scores;
    }

    /// <summary>Computes the scores into an existing map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)" path="/typeparam|/exception"/>
    /// <param name="query">Query, [B, D, OH, OW].</param>
    /// <param name="key">Key, [B, D, H, W].</param>
    /// <param name="scores">Where the scores are written, [B, heads·K², OH, OW], in either format.</param>
    /// <param name="options">Window, border and heads; null for the defaults.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or <paramref name="scores"/> shares memory with an operand.
    /// </exception>
    public static void Forward<T>(
        FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> scores, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(scores);
        var window = Check(query, key, options ?? WindowAttentionOptions.Default);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), s = new(nameof(scores), scores);
        OperandChecks.SameDevice(q, k, s);
        OperandChecks.Shape(nameof(scores), scores, window.WeightsShape, q, k, s);
        OperandChecks.NoOverlap(nameof(scores), scores, q, k);
        Run(in window, query, key, scores);
    }

    /// <summary>Checks the operands and returns the shape of the scores.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)" path="/typeparam|/param|/exception"/>
    /// <param name="query">Query, [B, D, OH, OW].</param>
    /// <param name="key">Key, [B, D, H, W].</param>
    /// <param name="options">Window, border and heads; null for the defaults.</param>
    /// <returns>[B, heads·K², OH, OW].</returns>
    public static MapShape ScoresShape<T>(
        FeatureMap<T> query, FeatureMap<T> key, WindowAttentionOptions? options = null)
        where T : unmanaged => Check(query, key, options ?? WindowAttentionOptions.Default).WeightsShape;

    /// <summary>Computes the gradients of query and key from the gradient of the scores, into existing maps.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">The query of the forward, [B, D, OH, OW].</param>
    /// <param name="key">The key of the forward, [B, D, H, W].</param>
    /// <param name="gradScores">The gradient of the scores, [B, heads·K², OH, OW].</param>
    /// <param name="gradQuery">Where to write the gradient of the query, [B, D, OH, OW]; null to leave it out.</param>
    /// <param name="gradKey">Where to write the gradient of the key, [B, D, H, W]; null to leave it out.</param>
    /// <param name="options">
    /// The options of the forward; null for one head and the window that follows from the channels of the scores.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A shape is wrong, or a gradient to be written shares memory with another map.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The window, the ratio of the sizes or the element type is not supported; the message lists every reason.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static void Backward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> gradScores,
        FeatureMap<T>? gradQuery,
        FeatureMap<T>? gradKey,
        WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradScores);
        var window = Check(query, key, options ?? WindowWidth.OptionsOf(nameof(gradScores), gradScores));
        Operand q = new(nameof(query), query), k = new(nameof(key), key), g = new(nameof(gradScores), gradScores);
        Operand gq = new(nameof(gradQuery), gradQuery), gk = new(nameof(gradKey), gradKey);
        OperandChecks.SameDevice(q, k, g, gq, gk);
        OperandChecks.Shape(nameof(gradScores), gradScores, window.WeightsShape, q, k, g);
        if (gradQuery is not null)
            OperandChecks.Shape(nameof(gradQuery), gradQuery, window.Shape.QueryShape, q, k, g, gq, gk);
        if (gradKey is not null)
            OperandChecks.Shape(nameof(gradKey), gradKey, window.Shape.KeyShape, q, k, g, gq, gk);
        OperandChecks.NoOverlap(nameof(gradQuery), gradQuery, q, k, g, gq, gk);
        OperandChecks.NoOverlap(nameof(gradKey), gradKey, q, k, g, gq, gk);
        using var call = Operands.Hold(query, key, gradScores, gradQuery, gradKey);
        var problem = OfKeys(in window);
        var kernels = WindowKernels.For(query);
        for (int head = 0; head < window.Heads; head++)
        {
            using var scores = new HeadView<T>(gradScores, head, window.Heads);
            if (gradQuery is not null)
            {
                using var source = new HeadView<T>(key, head, window.Heads);
                using var result = new HeadView<T>(gradQuery, head, window.Heads);
                kernels.Reassembly(in problem, scores.Map, source.Map, result.Map);
            }
            if (gradKey is not null)
            {
                using var source = new HeadView<T>(query, head, window.Heads);
                using var result = new HeadView<T>(gradKey, head, window.Heads);
                kernels.Transposed(in problem, scores.Map, source.Map, result.Map, accumulate: false);
            }
        }
    }

    /// <summary>Computes the gradients of query and key from the gradient of the scores.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, FeatureMap{T}, FeatureMap{T}, FeatureMap{T}?, FeatureMap{T}?, WindowAttentionOptions?)"
    /// path="/*[not(self::summary or self::param or self::returns)]"/>
    /// <param name="query">The query of the forward, [B, D, OH, OW].</param>
    /// <param name="key">The key of the forward, [B, D, H, W].</param>
    /// <param name="gradScores">The gradient of the scores, [B, heads·K², OH, OW].</param>
    /// <param name="options">
    /// The options of the forward; null for one head and the window that follows from the channels of the scores.
    /// </param>
    /// <param name="wanted">Which gradients to compute.</param>
    /// <returns>The gradients, each in the format of its operand.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wanted"/> has undefined flags.</exception>
    public static WindowSimilarityGradients<T> Backward<T>(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> gradScores,
        WindowAttentionOptions? options = null,
        Gradients wanted = Gradients.All)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        var gradients = new WindowSimilarityGradients<T>(
            wanted.Includes(Gradients.Query) ? FeatureMap<T>.CreateLike(query) : null,
            wanted.Includes(Gradients.Key) ? FeatureMap<T>.CreateLike(key) : null);
        Backward(query, key, gradScores, gradients.Query, gradients.Key, options);
        return gradients;
    }

    /// <summary>Describes the kernel that the forward runs for these operands.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, FeatureMap{T}, WindowAttentionOptions?)"/>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    public static string Describe<T>(FeatureMap<T> query, FeatureMap<T> key, WindowAttentionOptions? options = null)
        where T : unmanaged
    {
        var window = Check(query, key, options ?? WindowAttentionOptions.Default);
        using var q = new HeadView<T>(query, 0, window.Heads);
        using var k = new HeadView<T>(key, 0, window.Heads);
        return WindowKernels.For(query).Plan(window.Head, q.Map, k.Map, k.Map, null).ToString();
    }

    private static HeadedWindow Check<T>(FeatureMap<T> query, FeatureMap<T> key, WindowAttentionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(options);
        Operand q = new(nameof(query), query), k = new(nameof(key), key);
        OperandChecks.SameDevice(q, k);
        int channels = key.Shape.Channels;
        var window = WindowShapes.Infer(nameof(query), query, nameof(key), key, channels, channels, options, q, k);
        OperandChecks.Shape(nameof(query), query, window.Shape.QueryShape, q, k);
        return window;
    }

    // The adjoint kernels reassemble as many channels as the forward compares, whether or not the heads share a value.
    private static WindowProblem OfKeys(in HeadedWindow window)
    {
        var key = window.Head.Shape.KeyShape;
        var query = window.Shape.QueryShape;
        return window.Head with
        {
            Shape = new WindowShape(key, key.Channels, query.Height, query.Width, window.Shape.Window),
        };
    }

    private static void Run<T>(in HeadedWindow window, FeatureMap<T> query, FeatureMap<T> key, FeatureMap<T> scores)
        where T : unmanaged
    {
        using var call = Operands.Hold(query, key, scores);
        var problem = window.Head;
        for (int head = 0; head < window.Heads; head++)
        {
            using var q = new HeadView<T>(query, head, window.Heads);
            using var k = new HeadView<T>(key, head, window.Heads);
            using var s = new HeadView<T>(scores, head, window.Heads);
            WindowKernels.For(query).Scores(in problem, q.Map, k.Map, s.Map);
        }
    }
}

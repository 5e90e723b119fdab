using SapaGpu.Maps;

namespace SapaGpu;

/// <summary>
/// What the backwards of cross-resolution attention need of the forward: query, key, value and bias, which the context refers
/// to but does not own, and the statistics of the weights, which it owns.
/// </summary>
/// <typeparam name="T">The element type of the operands.</typeparam>
public sealed class CrossAttentionContext<T> : IDisposable
    where T : unmanaged
{
    /// <summary>
    /// Restores the context of an earlier forward from its operands and its statistics, for callers that keep them themselves.
    /// </summary>
    /// <param name="query">The query of the forward, [B, h·D, OH, OW].</param>
    /// <param name="key">The key of the forward, [B, h·D, H, W].</param>
    /// <param name="value">The value of the forward, [B, C, H, W].</param>
    /// <param name="ranges">The ranges of the forward.</param>
    /// <param name="statistics">
    /// The <see cref="Statistics"/> that the forward wrote, [B, 2h, OH, OW]; the context takes ownership of them.
    /// </param>
    /// <param name="options">The options of the forward; null for the defaults.</param>
    /// <param name="keyBias">The bias of the forward, [B, 1, H, W]; null if there was none.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or the element type of the statistics is wrong.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="ObjectDisposedException">A map or its device was disposed.</exception>
    public CrossAttentionContext(
        FeatureMap<T> query,
        FeatureMap<T> key,
        FeatureMap<T> value,
        WindowRanges ranges,
        FeatureMap statistics,
        CrossAttentionOptions? options = null,
        FeatureMap<T>? keyBias = null)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        Options = options ?? CrossAttentionOptions.Default;
        CrossAttention.CheckInputs(query, key, value, keyBias, ranges, Options);
        Operand q = new(nameof(query), query), k = new(nameof(key), key), v = new(nameof(value), value);
        Operand s = new(nameof(statistics), statistics);
        OperandChecks.SameDevice(q, k, v, s);
        OperandChecks.Shape(
            nameof(statistics), statistics, CrossAttention.StatisticsShape(query, Options), q, k, v, s);
        OperandChecks.Accumulator<T>(s);
        Query = query;
        Key = key;
        Value = value;
        KeyBias = keyBias;
        Ranges = ranges;
        Statistics = statistics;
    }

    /// <summary>Gets the query of the forward.</summary>
    public FeatureMap<T> Query { get; }

    /// <summary>Gets the key of the forward.</summary>
    public FeatureMap<T> Key { get; }

    /// <summary>Gets the value of the forward.</summary>
    public FeatureMap<T> Value { get; }

    /// <summary>Gets the bias of the keys; null if there was none.</summary>
    public FeatureMap<T>? KeyBias { get; }

    /// <summary>Gets the ranges of the forward.</summary>
    public WindowRanges Ranges { get; }

    /// <summary>Gets heads, score scale and normalisation.</summary>
    public CrossAttentionOptions Options { get; }

    /// <summary>
    /// Gets, of every head and query, the largest score and the sum of the exponentials of the scores less it,
    /// [B, 2h, OH, OW]; the sum is 0 where a query sees nothing. Double for maps of double, otherwise float. For sigmoids what is
    /// subtracted from the scores, 0 but where all lie far below it, and the sum of the sigmoids; without a normalisation 0 and 1.
    /// </summary>
    public FeatureMap Statistics { get; }

    /// <summary>Disposes the statistics; the operands stay with the caller.</summary>
    public void Dispose() => Statistics.Dispose();
}

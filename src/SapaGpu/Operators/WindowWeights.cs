using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Turns the scores of a window into weights, the step of window attention between <see cref="WindowSimilarity"/> and
/// <see cref="WindowReassembly"/>, for callers that need or change the weights themselves.
/// </summary>
/// <remarks>
/// <para>Shapes: scores and weights [B, heads·K², OH, OW]; averaged over the heads [B, K², OH, OW].</para>
/// <para><see cref="ScoreNormalisation"/> defines the weights. With <see cref="BorderRule.Masked"/>, taps outside the
/// map are left out of the normalisation and have weight 0; with any other border all taps take part. With the same
/// options, similarity, weights and reassembly give the result of <see cref="WindowAttention"/> up to rounding.</para>
/// </remarks>
public static class WindowWeights
{
    /// <summary>Computes the weights from query and key.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="query">Query, [B, D, OH, OW].</param>
    /// <param name="key">Key, [B, D, H, W].</param>
    /// <param name="options">Window, border, normalisation, heads; null for the defaults.</param>
    /// <param name="average">Whether to average the weights over the heads.</param>
    /// <returns>The weights, [B, heads·K² or K², OH, OW], in the format of the query.</returns>
    /// <exception cref="ArgumentException">The shapes do not match, or do not fit the heads.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The window, the ratio of the sizes or the element type is not supported; the message lists every reason.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> query, FeatureMap<T> key, WindowAttentionOptions? options = null, bool average = false)
        where T : unmanaged
    {
        options ??= WindowAttentionOptions.Default;
        using var scores = WindowSimilarity.Forward(query, key, options);
        return Forward(scores, key.Shape, options, average);
    }

    /// <summary>Computes the weights from scores.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="scores">Scores, [B, heads·K², OH, OW].</param>
    /// <param name="key">
    /// The shape of the decoder map; its height and width determine which taps lie outside, its channels are ignored.
    /// </param>
    /// <param name="options">Window, border, normalisation, heads; null for the defaults.</param>
    /// <param name="average">Whether to average the weights over the heads.</param>
    /// <returns>The weights, [B, heads·K² or K², OH, OW], in the format of the scores.</returns>
    /// <exception cref="ArgumentException">
    /// The scores do not have heads·K² channels, or not as many images as the decoder map.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// The window, the ratio of the sizes or the element type is not supported; the message lists every reason.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The scores or their device were disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> scores, MapShape key, WindowAttentionOptions? options = null, bool average = false)
        where T : unmanaged
    {
        var problem = Check(nameof(scores), scores, key, options, average);
        var weights = FeatureMap<T>.Create(scores.Device, OutputShape(scores.Shape, in problem), scores.Format);
        Run(in problem, scores, weights);
        return weights;
    }

    /// <summary>Computes the weights from scores into an existing map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, MapShape, WindowAttentionOptions?, bool)" path="/typeparam|/exception"/>
    /// <param name="scores">Scores, [B, heads·K², OH, OW].</param>
    /// <param name="key">
    /// The shape of the decoder map; its height and width determine which taps lie outside, its channels are ignored.
    /// </param>
    /// <param name="weights">Where the weights are written, [B, heads·K² or K², OH, OW], in either format.</param>
    /// <param name="options">Window, border, normalisation, heads; null for the defaults.</param>
    /// <param name="average">Whether to average the weights over the heads.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, or <paramref name="weights"/> shares memory with the scores.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    public static void Forward<T>(
        FeatureMap<T> scores,
        MapShape key,
        FeatureMap<T> weights,
        WindowAttentionOptions? options = null,
        bool average = false)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(weights);
        var problem = Check(nameof(scores), scores, key, options, average);
        Operand s = new(nameof(scores), scores), w = new(nameof(weights), weights);
        OperandChecks.SameDevice(s, w);
        OperandChecks.Shape(nameof(weights), weights, OutputShape(scores.Shape, in problem), s, w);
        OperandChecks.NoOverlap(nameof(weights), weights, s);
        Run(in problem, scores, weights);
    }

    /// <summary>Describes the kernel that the forward runs for these scores.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, MapShape, WindowAttentionOptions?, bool)"/>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    public static string Describe<T>(
        FeatureMap<T> scores, MapShape key, WindowAttentionOptions? options = null, bool average = false)
        where T : unmanaged
    {
        var problem = Check(nameof(scores), scores, key, options, average);
        return $"{KernelVariant.Choose(scores.Device).DescribeAccess()}, {problem.Normalisation}";
    }

    /// <summary>Computes the gradient of the scores from that of the weights or of their mean over the heads.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="scores">The scores of the forward, [B, heads·K², OH, OW].</param>
    /// <param name="key">The shape of the decoder map of the forward.</param>
    /// <param name="gradWeights">The gradient of the weights, [B, heads·K² or K², OH, OW].</param>
    /// <param name="options">The options of the forward; null for the defaults.</param>
    /// <param name="average">Whether the forward averaged over the heads.</param>
    /// <returns>The gradient, [B, heads·K², OH, OW], in the format of the scores.</returns>
    /// <exception cref="ArgumentException">A shape is wrong.</exception>
    /// <exception cref="DeviceMismatchException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">
    /// The window, the ratio of the sizes or the element type is not supported; the message lists every reason.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">An operand or its device was disposed.</exception>
    public static FeatureMap<T> Backward<T>(
        FeatureMap<T> scores,
        MapShape key,
        FeatureMap<T> gradWeights,
        WindowAttentionOptions? options = null,
        bool average = false)
        where T : unmanaged
    {
        var problem = CheckBackward(scores, key, gradWeights, options, average);
        var gradScores = FeatureMap<T>.Create(scores.Device, scores.Shape, scores.Format);
        RunBackward(in problem, scores, gradWeights, gradScores);
        return gradScores;
    }

    /// <summary>Computes the gradient of the scores into an existing map.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, MapShape, FeatureMap{T}, WindowAttentionOptions?, bool)" path="/typeparam|/exception"/>
    /// <param name="scores">The scores of the forward, [B, heads·K², OH, OW].</param>
    /// <param name="key">The shape of the decoder map of the forward.</param>
    /// <param name="gradWeights">The gradient of the weights, [B, heads·K² or K², OH, OW].</param>
    /// <param name="gradScores">Where the gradient is written, [B, heads·K², OH, OW], in either format.</param>
    /// <param name="options">The options of the forward; null for the defaults.</param>
    /// <param name="average">Whether the forward averaged over the heads.</param>
    /// <exception cref="ArgumentException">
    /// A shape is wrong, or <paramref name="gradScores"/> shares memory with an operand.
    /// </exception>
    public static void Backward<T>(
        FeatureMap<T> scores,
        MapShape key,
        FeatureMap<T> gradWeights,
        FeatureMap<T> gradScores,
        WindowAttentionOptions? options = null,
        bool average = false)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradScores);
        var problem = CheckBackward(scores, key, gradWeights, options, average);
        Operand s = new(nameof(scores), scores), g = new(nameof(gradWeights), gradWeights);
        Operand into = new(nameof(gradScores), gradScores);
        OperandChecks.SameDevice(s, g, into);
        OperandChecks.Shape(nameof(gradScores), gradScores, scores.Shape, s, g, into);
        OperandChecks.NoOverlap(nameof(gradScores), gradScores, s, g);
        RunBackward(in problem, scores, gradWeights, gradScores);
    }

    /// <summary>Computes weights from scores whose shape is known to fit; every tap takes part.</summary>
    internal static void Run(WindowAttentionOptions options, FeatureMap scores, FeatureMap weights)
    {
        using var call = Operands.Hold(scores, weights);
        WindowWeightsKernels.For(scores).Forward(
            Problem(OwnCells(scores), options, false), scores, weights);
    }

    /// <summary>Computes the gradient of the scores of <see cref="Run"/>.</summary>
    internal static void RunBackward(
        WindowAttentionOptions options, FeatureMap scores, FeatureMap gradWeights, FeatureMap gradScores)
    {
        using var call = Operands.Hold(scores, gradWeights, gradScores);
        WindowWeightsKernels.For(scores).Backward(
            Problem(OwnCells(scores), options, false), scores, gradWeights, gradScores);
    }

    private static WindowShape OwnCells(FeatureMap scores) =>
        new(scores.Shape, 1, scores.Shape.Height, scores.Shape.Width, 1);

    private static WeightsProblem Problem(WindowShape shape, WindowAttentionOptions options, bool average) => new(
        shape.Extent(options.Border),
        options.Heads,
        options.Window * options.Window,
        options.Normalisation,
        options.Border,
        Averaged: average);

    private static MapShape OutputShape(MapShape scores, in WeightsProblem problem) =>
        new(scores.Batch, problem.Averaged ? problem.Taps : scores.Channels, scores.Height, scores.Width);

    private static void Run<T>(in WeightsProblem problem, FeatureMap<T> scores, FeatureMap<T> weights)
        where T : unmanaged
    {
        using var call = Operands.Hold(scores, weights);
        var kernels = WindowWeightsKernels.For(scores);
        if (!problem.Averaged)
        {
            kernels.Forward(in problem, scores, weights);
            return;
        }
        using var all = FeatureMap<T>.CreateLike(scores);
        kernels.Forward(in problem, scores, all);
        kernels.Average(in problem, all, weights);
    }

    private static void RunBackward<T>(
        in WeightsProblem problem, FeatureMap<T> scores, FeatureMap<T> gradWeights, FeatureMap<T> gradScores)
        where T : unmanaged
    {
        using var call = Operands.Hold(scores, gradWeights, gradScores);
        WindowWeightsKernels.For(scores).Backward(in problem, scores, gradWeights, gradScores);
    }

    private static WeightsProblem CheckBackward<T>(
        FeatureMap<T> scores, MapShape key, FeatureMap<T> gradWeights, WindowAttentionOptions? options, bool average)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradWeights);
        var problem = Check(nameof(scores), scores, key, options, average);
        Operand s = new(nameof(scores), scores), g = new(nameof(gradWeights), gradWeights);
        OperandChecks.SameDevice(s, g);
        OperandChecks.Shape(nameof(gradWeights), gradWeights, OutputShape(scores.Shape, in problem), s, g);
        return problem;
    }

    private static WeightsProblem Check<T>(
        string name, FeatureMap<T> scores, MapShape key, WindowAttentionOptions? options, bool average)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(scores);
        options ??= WindowAttentionOptions.Default;
        Operand s = new(name, scores);
        OperandChecks.SameDevice(s);
        WindowShapes.CheckLeast(options);
        if (key.ElementCount == 0 || key.Batch != scores.Shape.Batch)
        {
            throw new ArgumentException(
                $"The decoder map {key} must have as many images as '{name}'. {OperandChecks.Describe(s)}",
                nameof(key));
        }
        var shape = new WindowShape(key, 1, scores.Shape.Height, scores.Shape.Width, options.Window);
        SupportChecks.Require(scores, in shape, options.Border, s);
        var expected = new HeadedWindow(shape, options).WeightsShape;
        OperandChecks.Shape(name, scores, expected, s);
        return Problem(shape, options, average);
    }
}

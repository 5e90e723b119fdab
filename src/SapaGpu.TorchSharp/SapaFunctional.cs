using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// SapaGpu's operators as differentiable functions of TorchSharp tensors on the CPU or on CUDA, computed on the
/// tensors' own memory.
/// </summary>
/// <remarks>
/// Maps are [B, C, H, W], contiguous or channels-last (others are made contiguous first), of type float64, float32,
/// float16 or bfloat16; maps of different types are promoted as torch promotes them. A batch of 0 gives an output of no
/// images and gradients of zero. Results have first derivatives only, except for
/// <see cref="CrossAttention"/>, which has second ones too. An exception inside a backward is found in <see cref="SapaAutograd.LastError"/>.
/// </remarks>
public static class SapaFunctional
{
    /// <summary>
    /// Upsamples a value by window attention of query and key; see <see cref="global::SapaGpu.WindowAttention"/> for
    /// the formula.
    /// </summary>
    /// <param name="query">Features of the guide, [B, D, OH, OW].</param>
    /// <param name="key">Features of the decoder, [B, D, H, W].</param>
    /// <param name="value">The map to upsample, [B, C, H, W].</param>
    /// <param name="options">Window, border, normalisation, heads; null for the defaults.</param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the value.</returns>
    /// <exception cref="ArgumentException">
    /// An operand has another rank, an unsupported type or no channels, rows or columns, or the shapes do not match.
    /// </exception>
    /// <exception cref="InvalidOperationException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, scale or device is not supported.</exception>
    public static torch.Tensor WindowAttention(
        torch.Tensor query, torch.Tensor key, torch.Tensor value, WindowAttentionOptions? options = null)
    {
        using var scope = torch.NewDisposeScope();
        var maps = TensorOperands.Prepare(
            nameof(WindowAttention),
            new NamedMap(nameof(query), query),
            new NamedMap(nameof(key), key),
            new NamedMap(nameof(value), value));
        return OperatorFunction.Run(new WindowAttentionOperator(options ?? WindowAttentionOptions.Default), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Computes the scores of every query with the keys of its window; see
    /// <see cref="global::SapaGpu.WindowSimilarity"/>.
    /// </summary>
    /// <param name="query">Features of the guide, [B, D, OH, OW].</param>
    /// <param name="key">Features of the decoder, [B, D, H, W].</param>
    /// <param name="options">Window, border and heads; null for the defaults.</param>
    /// <returns>The scores, [B, heads·K², OH, OW], in the memory format of the query.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor WindowSimilarity(
        torch.Tensor query, torch.Tensor key, WindowAttentionOptions? options = null)
    {
        using var scope = torch.NewDisposeScope();
        var maps = TensorOperands.Prepare(
            nameof(WindowSimilarity), new NamedMap(nameof(query), query), new NamedMap(nameof(key), key));
        return OperatorFunction.Run(new WindowSimilarityOperator(options ?? WindowAttentionOptions.Default), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Reassembles a value with given weights, as CARAFE does; see <see cref="global::SapaGpu.WindowReassembly"/>.
    /// </summary>
    /// <param name="weights">Weights, [B, heads·K², OH, OW].</param>
    /// <param name="value">The map to upsample, [B, C, H, W].</param>
    /// <param name="options">
    /// Window, border and heads; null for one head, with the window taken from the channels of the weights.
    /// </param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the value.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor WindowReassembly(
        torch.Tensor weights, torch.Tensor value, WindowAttentionOptions? options = null)
    {
        using var scope = torch.NewDisposeScope();
        var maps = TensorOperands.Prepare(
            nameof(WindowReassembly), new NamedMap(nameof(weights), weights), new NamedMap(nameof(value), value));
        return OperatorFunction.Run(new WindowReassemblyOperator(options), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// CARAFE's reassembly: upsamples every group of channels with its own kernels; taps outside the map have value 0.
    /// </summary>
    /// <param name="features">The map to upsample, [B, C, H, W].</param>
    /// <param name="masks">The normalised kernels, [B, groups·K², OH, OW].</param>
    /// <param name="window">K, the odd width of the kernels.</param>
    /// <param name="groups">The number of groups, which divides C.</param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the features.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor Carafe(torch.Tensor features, torch.Tensor masks, int window = 5, int groups = 1) =>
        WindowReassembly(masks, features, new WindowAttentionOptions { Window = window, Heads = groups });

    /// <summary>
    /// Attention over sampling points that move with the query; see <see cref="global::SapaGpu.DeformableAttention"/>
    /// for the formula and the order of the offsets.
    /// </summary>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="value">The map to upsample, [B, G·C, H, W].</param>
    /// <param name="offsets">Offsets in cells, [B, G·P·2, OH, OW].</param>
    /// <param name="options">Groups and points; null for the defaults.</param>
    /// <returns>The output, [B, G·C, OH, OW], in the memory format of the value.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor DeformableAttention(
        torch.Tensor query,
        torch.Tensor key,
        torch.Tensor value,
        torch.Tensor offsets,
        DeformableAttentionOptions? options = null)
    {
        using var scope = torch.NewDisposeScope();
        var maps = TensorOperands.Prepare(
            nameof(DeformableAttention),
            new NamedMap(nameof(query), query),
            new NamedMap(nameof(key), key),
            new NamedMap(nameof(value), value),
            new NamedMap(nameof(offsets), offsets));
        return OperatorFunction.Run(new DeformableAttentionOperator(options ?? new DeformableAttentionOptions()), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Cross-resolution attention: each point of the query attends to the cells in its ranges of rows and columns; see
    /// <see cref="global::SapaGpu.CrossAttention"/> for the formula. Twice differentiable.
    /// </summary>
    /// <param name="query">The queries, [B, h·D, OH, OW].</param>
    /// <param name="key">The keys, [B, h·D, H, W].</param>
    /// <param name="value">The map to upsample, [B, C, H, W].</param>
    /// <param name="ranges">
    /// What each query sees, and with it the border rule; create it once for maps of the same sizes.
    /// </param>
    /// <param name="options">Heads, score scale and normalisation; null for the defaults.</param>
    /// <param name="keyBias">
    /// What is added to the scores of a cell, [B, 1, H, W]; −∞ takes the cell away. Null for 0.
    /// </param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the value.</returns>
    /// <exception cref="ArgumentException">
    /// An operand has another rank, an unsupported type or no channels, rows or columns, or the shapes do not match each
    /// other, the ranges or the heads.
    /// </exception>
    /// <inheritdoc cref="WindowAttention" path="/exception[position()>1]"/>
    public static torch.Tensor CrossAttention(
        torch.Tensor query,
        torch.Tensor key,
        torch.Tensor value,
        WindowRanges ranges,
        CrossAttentionOptions? options = null,
        torch.Tensor? keyBias = null)
    {
        using var scope = torch.NewDisposeScope();
        ArgumentNullException.ThrowIfNull(ranges);
        NamedMap[] named = [new(nameof(query), query), new(nameof(key), key), new(nameof(value), value)];
        if (keyBias is not null)
            named = [.. named, new NamedMap(nameof(keyBias), keyBias)];
        var maps = TensorOperands.Prepare(nameof(CrossAttention), named);
        return OperatorFunction.Run(
            new CrossAttentionOperator(ranges, options ?? CrossAttentionOptions.Default),
            maps[0],
            maps[1],
            maps[2],
            keyBias is null ? null : maps[3])
            .MoveToOuterDisposeScope();
    }

    /// <summary>Interpolates a map to another size; see <see cref="global::SapaGpu.Interpolate"/>.</summary>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="height">OH, the rows of the output.</param>
    /// <param name="width">OW, the columns of the output.</param>
    /// <param name="mode">The interpolation method.</param>
    /// <param name="alignCorners">Whether the corner cells of both maps coincide; bilinear only.</param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the input.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1 or above 2²⁹.</exception>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor Interpolate(
        torch.Tensor input,
        int height,
        int width,
        InterpolationMode mode = InterpolationMode.Bilinear,
        bool alignCorners = false)
    {
        using var scope = torch.NewDisposeScope();
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var maps = TensorOperands.Prepare(nameof(Interpolate), new NamedMap(nameof(input), input));
        return OperatorFunction.Run(new InterpolationOperator(height, width, mode, alignCorners), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Interpolates a map by an integer ratio, bilinear between pixel centres.</summary>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="scale">s, the upsampling ratio, at least 1.</param>
    /// <returns>The output, [B, C, s·H, s·W], in the memory format of the input.</returns>
    /// <inheritdoc cref="Interpolate(torch.Tensor, int, InterpolationMode)" path="/exception"/>
    public static torch.Tensor Interpolate(torch.Tensor input, int scale) =>
        Interpolate(input, scale, InterpolationMode.Bilinear);

    /// <summary>Interpolates a map by an integer ratio, between pixel centres.</summary>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="scale">s, the upsampling ratio, at least 1.</param>
    /// <param name="mode">The interpolation method.</param>
    /// <returns>The output, [B, C, s·H, s·W], in the memory format of the input.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The ratio is below 1, or a size of the output above 2²⁹.
    /// </exception>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor Interpolate(torch.Tensor input, int scale, InterpolationMode mode)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        if (input.dim() != 4)
        {
            throw new ArgumentException(
                $"{nameof(Interpolate)}: expected 'input' to be [B, C, H, W], but got a tensor of shape " +
                $"[{string.Join(", ", input.shape)}].",
                nameof(input));
        }
        return Interpolate(input, Scaled(input.shape[2]), Scaled(input.shape[3]), mode);

        int Scaled(long size) => (int)Math.Min(size * scale, int.MaxValue);
    }

    /// <summary>
    /// A 1×1 convolution, with LayerNorm over the channels before it if a factor is given, in one pass over the map;
    /// see <see cref="PointwiseProjection"/>.
    /// </summary>
    /// <param name="input">The map, [B, I, H, W].</param>
    /// <param name="weight">
    /// The matrix, [O, I] or [O, I, 1, 1]; parameters are converted to float64 for float64 maps, to float32 for others.
    /// </param>
    /// <param name="bias">The bias, [O]; null for none.</param>
    /// <param name="normWeight">The factor of LayerNorm, [I]; null for no normalisation.</param>
    /// <param name="normBias">The offset of LayerNorm, [I]; null for no normalisation.</param>
    /// <param name="epsilon">The number that is added to the variance.</param>
    /// <returns>
    /// The output, [B, O, H, W]: contiguous on the CPU, channels-last on a GPU, which attention reads fastest there.
    /// </returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor Projection(
        torch.Tensor input,
        torch.Tensor weight,
        torch.Tensor? bias = null,
        torch.Tensor? normWeight = null,
        torch.Tensor? normBias = null,
        double epsilon = 1e-5)
    {
        using var scope = torch.NewDisposeScope();
        var map = TensorOperands.Prepare(nameof(Projection), new NamedMap(nameof(input), input))[0];
        if (normWeight is null != normBias is null)
        {
            throw new ArgumentException(
                $"{nameof(Projection)}: expected '{nameof(normWeight)}' and '{nameof(normBias)}' together, but got " +
                "only one.",
                nameof(normBias));
        }
        return OperatorFunction.Run(
            new ProjectionOperator(epsilon),
            map,
            TensorOperands.Parameter(nameof(Projection), nameof(weight), weight, 2, map),
            Vector(nameof(bias), bias),
            Vector(nameof(normWeight), normWeight),
            Vector(nameof(normBias), normBias))
            .MoveToOuterDisposeScope();

        torch.Tensor? Vector(string name, torch.Tensor? vector) =>
            vector is null ? null : TensorOperands.Parameter(nameof(Projection), name, vector, 1, map);
    }

    /// <summary>
    /// LayerNorm over the channels of every pixel, or GroupNorm; see <see cref="global::SapaGpu.FeatureNorm"/>.
    /// </summary>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="weight">The factor, [C].</param>
    /// <param name="bias">The offset, [C].</param>
    /// <param name="groups">
    /// The number of groups of GroupNorm, which divides C; 0 for LayerNorm over the channels.
    /// </param>
    /// <param name="epsilon">The number that is added to the variance.</param>
    /// <returns>The normalised map, [B, C, H, W], in the memory format of the input.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor FeatureNorm(
        torch.Tensor input, torch.Tensor weight, torch.Tensor bias, int groups = 0, double epsilon = 1e-5)
    {
        using var scope = torch.NewDisposeScope();
        var map = TensorOperands.Prepare(nameof(FeatureNorm), new NamedMap(nameof(input), input))[0];
        return OperatorFunction.Run(
            new FeatureNormOperator(groups, epsilon),
            map,
            TensorOperands.Parameter(nameof(FeatureNorm), nameof(weight), weight, 1, map),
            TensorOperands.Parameter(nameof(FeatureNorm), nameof(bias), bias, 1, map))
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Combines encoder and decoder features into queries: g·encoder + (1 − g)·decoder with g = sigmoid(gate), or their
    /// sum without a gate; decoder and gate are read at the cell of the query. See
    /// <see cref="global::SapaGpu.QueryBlend"/>.
    /// </summary>
    /// <param name="encoder">Projected encoder features, [B, D, OH, OW].</param>
    /// <param name="decoder">Projected decoder features, [B, D, H, W].</param>
    /// <param name="gate">The gate before the sigmoid, [B, 1, H, W]; null for the plain sum.</param>
    /// <returns>The query, [B, D, OH, OW], in the memory format of the encoder features.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor QueryBlend(torch.Tensor encoder, torch.Tensor decoder, torch.Tensor? gate = null)
    {
        using var scope = torch.NewDisposeScope();
        NamedMap[] named = [new(nameof(encoder), encoder), new(nameof(decoder), decoder)];
        if (gate is not null)
            named = [.. named, new NamedMap(nameof(gate), gate)];
        var maps = TensorOperands.Prepare(nameof(QueryBlend), named);
        return OperatorFunction.Run(new QueryBlendOperator(), maps[0], maps[1], gate is null ? null : maps[2])
            .MoveToOuterDisposeScope();
    }
}

using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// SapaGpu's operators as functions of torch: differentiable once, on the tensors' own memory, on the processor or on
/// CUDA. Maps are [B, C, H, W], contiguous or channels-last (others are made contiguous), float64, float32, float16 or
/// bfloat16; maps of different types are promoted as torch promotes them. Gradients that nobody asks for are not
/// computed.
/// </summary>
public static class SapaFunctional
{
    /// <summary>
    /// Upsamples a value under the guidance of query and key; see <see cref="global::SapaGpu.WindowAttention"/>.
    /// </summary>
    /// <param name="query">Features of the guide, [B, D, OH, OW].</param>
    /// <param name="key">Features of the decoder, [B, D, H, W].</param>
    /// <param name="value">What is upsampled, [B, C, H, W].</param>
    /// <param name="options">Window, border, normalisation, heads; null for the defaults.</param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the value.</returns>
    /// <exception cref="ArgumentException">An operand is no such map, or the shapes do not belong together.</exception>
    /// <exception cref="InvalidOperationException">The operands are on different devices.</exception>
    /// <exception cref="NotSupportedException">Window, scale or device are not supported.</exception>
    public static torch.Tensor WindowAttention(
        torch.Tensor query, torch.Tensor key, torch.Tensor value, WindowAttentionOptions? options = null)
    {
        using var scope = torch.NewDisposeScope();
        var maps = Operands.Prepare(
            nameof(WindowAttention),
            new NamedMap(nameof(query), query),
            new NamedMap(nameof(key), key),
            new NamedMap(nameof(value), value));
        return OperatorFunction.Run(new WindowAttentionOperator(options ?? WindowAttentionOptions.Default), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The scores of every query with its window of keys; see <see cref="global::SapaGpu.WindowSimilarity"/>.
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
        var maps = Operands.Prepare(
            nameof(WindowSimilarity), new NamedMap(nameof(query), query), new NamedMap(nameof(key), key));
        return OperatorFunction.Run(new WindowSimilarityOperator(options ?? WindowAttentionOptions.Default), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The value reassembled by given weights, which is CARAFE's operator as well; see
    /// <see cref="global::SapaGpu.WindowReassembly"/>.
    /// </summary>
    /// <param name="weights">Weights, [B, heads·K², OH, OW].</param>
    /// <param name="value">What is upsampled, [B, C, H, W].</param>
    /// <param name="options">Window, border and heads; null for one head and the window that the weights have.</param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the value.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor WindowReassembly(
        torch.Tensor weights, torch.Tensor value, WindowAttentionOptions? options = null)
    {
        using var scope = torch.NewDisposeScope();
        var maps = Operands.Prepare(
            nameof(WindowReassembly), new NamedMap(nameof(weights), weights), new NamedMap(nameof(value), value));
        return OperatorFunction.Run(new WindowReassemblyOperator(options), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// CARAFE's reassembly: the features, each group of channels by masks of its own, with 0 outside the map.
    /// </summary>
    /// <param name="features">What is upsampled, [B, C, H, W].</param>
    /// <param name="masks">Normalised kernels, [B, groups·K², OH, OW].</param>
    /// <param name="window">K, odd.</param>
    /// <param name="groups">The groups that the channels are divided into.</param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the features.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor Carafe(torch.Tensor features, torch.Tensor masks, int window = 5, int groups = 1) =>
        WindowReassembly(masks, features, new WindowAttentionOptions { Window = window, Heads = groups });

    /// <summary>
    /// Deformable attention that move with the query; see <see cref="global::SapaGpu.DeformableAttention"/>.
    /// </summary>
    /// <param name="query">Query, [B, G·D, OH, OW].</param>
    /// <param name="key">Key, [B, G·D, H, W].</param>
    /// <param name="value">What is upsampled, [B, G·C, H, W].</param>
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
        var maps = Operands.Prepare(
            nameof(DeformableAttention),
            new NamedMap(nameof(query), query),
            new NamedMap(nameof(key), key),
            new NamedMap(nameof(value), value),
            new NamedMap(nameof(offsets), offsets));
        return OperatorFunction.Run(new DeformableAttentionOperator(options ?? new DeformableAttentionOptions()), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Brings a map to another size; see <see cref="global::SapaGpu.Interpolate"/>.</summary>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="height">OH, the rows of the output.</param>
    /// <param name="width">OW, the columns of the output.</param>
    /// <param name="mode">How values are filled in.</param>
    /// <param name="alignCorners">Whether the corner cells of both maps coincide; bilinear only.</param>
    /// <returns>The output, [B, C, OH, OW], in the memory format of the input.</returns>
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
        var maps = Operands.Prepare(nameof(Interpolate), new NamedMap(nameof(input), input));
        return OperatorFunction.Run(new InterpolationOperator(height, width, mode, alignCorners), maps)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A linear map of every pixel's channels, after LayerNorm over these channels where a factor is given, in one pass
    /// over the map; see <see cref="PointwiseProjection"/>.
    /// </summary>
    /// <param name="input">The map, [B, I, H, W].</param>
    /// <param name="weight">
    /// The matrix, [O, I] or [O, I, 1, 1]; it is computed with in float32, of float64 maps in float64.
    /// </param>
    /// <param name="bias">The bias, [O]; null for none.</param>
    /// <param name="normWeight">The factor of LayerNorm, [I]; null for no normalisation.</param>
    /// <param name="normBias">The offset of LayerNorm, [I].</param>
    /// <param name="epsilon">What is added to the variance.</param>
    /// <returns>
    /// The output, [B, O, H, W]: contiguous on the CPU, channels-last on a GPU, as attention reads it fastest.
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
        var map = Operands.Prepare(nameof(Projection), new NamedMap(nameof(input), input))[0];
        if (normWeight is null != normBias is null)
        {
            throw new ArgumentException(
                $"{nameof(Projection)}: expected '{nameof(normWeight)}' and '{nameof(normBias)}' together, but got one of them.",
                nameof(normBias));
        }
        return OperatorFunction.Run(
            new ProjectionOperator(epsilon),
            map,
            Operands.Parameter(nameof(Projection), nameof(weight), weight, 2, map),
            Vector(nameof(bias), bias),
            Vector(nameof(normWeight), normWeight),
            Vector(nameof(normBias), normBias))
            .MoveToOuterDisposeScope();

        torch.Tensor? Vector(string name, torch.Tensor? vector) =>
            vector is null ? null : Operands.Parameter(nameof(Projection), name, vector, 1, map);
    }

    /// <summary>
    /// LayerNorm over the channels of every pixel, or GroupNorm; see <see cref="global::SapaGpu.FeatureNorm"/>.
    /// </summary>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="weight">The factor, [C].</param>
    /// <param name="bias">The offset, [C].</param>
    /// <param name="groups">The groups of GroupNorm, of which the channels are a multiple; 0 for LayerNorm.</param>
    /// <param name="epsilon">What is added to the variance.</param>
    /// <returns>The normalised map, [B, C, H, W], in the memory format of the input.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor FeatureNorm(
        torch.Tensor input, torch.Tensor weight, torch.Tensor bias, int groups = 0, double epsilon = 1e-5)
    {
        using var scope = torch.NewDisposeScope();
        var map = Operands.Prepare(nameof(FeatureNorm), new NamedMap(nameof(input), input))[0];
        return OperatorFunction.Run(
            new FeatureNormOperator(groups, epsilon),
            map,
            Operands.Parameter(nameof(FeatureNorm), nameof(weight), weight, 1, map),
            Operands.Parameter(nameof(FeatureNorm), nameof(bias), bias, 1, map))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Queries made of encoder and decoder features; see <see cref="global::SapaGpu.QueryBlend"/>.</summary>
    /// <param name="encoder">The encoder's part, [B, D, OH, OW].</param>
    /// <param name="decoder">The decoder's part, [B, D, H, W].</param>
    /// <param name="gate">The gate before the sigmoid, [B, 1, H, W]; null for the plain sum.</param>
    /// <returns>The query, [B, D, OH, OW], in the memory format of the encoder's part.</returns>
    /// <inheritdoc cref="WindowAttention" path="/exception"/>
    public static torch.Tensor QueryBlend(torch.Tensor encoder, torch.Tensor decoder, torch.Tensor? gate = null)
    {
        using var scope = torch.NewDisposeScope();
        NamedMap[] named = [new(nameof(encoder), encoder), new(nameof(decoder), decoder)];
        if (gate is not null)
            named = [.. named, new NamedMap(nameof(gate), gate)];
        var maps = Operands.Prepare(nameof(QueryBlend), named);
        return OperatorFunction.Run(new QueryBlendOperator(), maps[0], maps[1], gate is null ? null : maps[2])
            .MoveToOuterDisposeScope();
    }
}

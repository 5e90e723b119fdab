using SapaGpu.Maps;

namespace SapaGpu.Native;

/// <summary>The operators on tensors of the caller, whose element type is known at run time.</summary>
internal abstract unsafe class Operators
{
    private static readonly Operators?[] ByType = new Operators?[Enum.GetValues<ElementType>().Length];

    /// <summary>The operators of the element type of a call's first tensor.</summary>
    /// <exception cref="ArgumentException">The tensor is null, or its element type unknown.</exception>
    public static Operators For(NativeTensor* first, string name)
    {
        var type = NativeTensor.TypeOf(first, name);
        return ByType[(int)type] ??= type.Dispatch<Creation, Operators>(default);
    }

    public abstract void AttentionForward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* output,
        NativeTensor* normaliser,
        WindowAttentionOptions options);

    public abstract void AttentionBackward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* normaliser,
        NativeTensor* gradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        WindowAttentionOptions options);

    public abstract void SimilarityForward(
        ComputeDevice device, NativeTensor* query, NativeTensor* key, NativeTensor* scores, WindowAttentionOptions options);

    public abstract void SimilarityBackward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* gradScores,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        WindowAttentionOptions options);

    public abstract void WeightsForward(
        ComputeDevice device,
        NativeTensor* scores,
        int keyHeight,
        int keyWidth,
        NativeTensor* weights,
        WindowAttentionOptions options,
        bool average);

    public abstract void WeightsBackward(
        ComputeDevice device,
        NativeTensor* scores,
        int keyHeight,
        int keyWidth,
        NativeTensor* gradWeights,
        NativeTensor* gradScores,
        WindowAttentionOptions options,
        bool average);

    public abstract void ReassemblyForward(
        ComputeDevice device, NativeTensor* weights, NativeTensor* value, NativeTensor* output, WindowAttentionOptions options);

    public abstract void ReassemblyBackward(
        ComputeDevice device,
        NativeTensor* weights,
        NativeTensor* value,
        NativeTensor* gradOutput,
        NativeTensor* gradWeights,
        NativeTensor* gradValue,
        WindowAttentionOptions options);

    public abstract void DeformableForward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* offsets,
        NativeTensor* output,
        DeformableAttentionOptions options);

    public abstract void DeformableBackward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* offsets,
        NativeTensor* gradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        NativeTensor* gradOffsets,
        DeformableAttentionOptions options);

    public abstract void CrossForward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* keyBias,
        WindowRanges ranges,
        NativeTensor* output,
        NativeTensor* statistics,
        CrossAttentionOptions options);

    public abstract void CrossBackward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* keyBias,
        WindowRanges ranges,
        NativeTensor* statistics,
        NativeTensor* gradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        NativeTensor* gradKeyBias,
        CrossAttentionOptions options);

    public abstract void CrossDoubleBackward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* keyBias,
        WindowRanges ranges,
        NativeTensor* statistics,
        NativeTensor* gradOutput,
        NativeTensor* queryDirection,
        NativeTensor* keyDirection,
        NativeTensor* valueDirection,
        NativeTensor* keyBiasDirection,
        NativeTensor* gradGradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        NativeTensor* gradKeyBias,
        CrossAttentionOptions options);

    public abstract void InterpolateForward(
        ComputeDevice device, NativeTensor* input, NativeTensor* output, InterpolationMode mode, bool alignCorners);

    public abstract void InterpolateBackward(
        ComputeDevice device, NativeTensor* gradOutput, NativeTensor* gradInput, InterpolationMode mode, bool alignCorners);

    public abstract void ProjectionForward(
        ComputeDevice device,
        NativeTensor* input,
        NativeTensor* weight,
        NativeTensor* bias,
        NativeTensor* output);

    public abstract void ProjectionBackward(
        ComputeDevice device,
        NativeTensor* input,
        NativeTensor* weight,
        NativeTensor* bias,
        NativeTensor* gradOutput,
        NativeTensor* gradInput,
        NativeTensor* gradWeight,
        NativeTensor* gradBias);

    public abstract void NormForward(
        ComputeDevice device,
        NativeTensor* input,
        int groups,
        NativeTensor* weight,
        NativeTensor* bias,
        double epsilon,
        NativeTensor* output,
        NativeTensor* statistics);

    public abstract void NormBackward(
        ComputeDevice device,
        NativeTensor* input,
        int groups,
        NativeTensor* weight,
        NativeTensor* statistics,
        NativeTensor* gradOutput,
        NativeTensor* gradInput,
        NativeTensor* gradWeight,
        NativeTensor* gradBias);

    private readonly struct Creation : IElementVisitor<Operators>
    {
        public Operators Visit<T>()
            where T : unmanaged => new Operators<T>();
    }
}

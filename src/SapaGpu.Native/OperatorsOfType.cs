using SapaGpu.Maps;

namespace SapaGpu.Native;

/// <summary>The operators on tensors of one element type.</summary>
internal sealed unsafe class Operators<T> : Operators
    where T : unmanaged
{
    public override void AttentionForward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* output,
        NativeTensor* normaliser,
        WindowAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var v = Wrap(device, value, "value");
        using var o = Wrap(device, output, "output");
        using var context = normaliser is null
            ? null
            : new WindowAttentionContext<T>(q, k, v, NativeTensor.Wrap(device, normaliser, "normaliser"), options);
        WindowAttention.Forward(q, k, v, o, options, context);
    }

    public override void AttentionBackward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* normaliser,
        NativeTensor* gradOutput,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        NativeTensor* gradValue,
        WindowAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var v = Wrap(device, value, "value");
        using var g = Wrap(device, gradOutput, "grad_output");
        using var dq = WrapOptional(device, gradQuery, "grad_query");
        using var dk = WrapOptional(device, gradKey, "grad_key");
        using var dv = WrapOptional(device, gradValue, "grad_value");
        using var context =
            new WindowAttentionContext<T>(q, k, v, NativeTensor.Wrap(device, normaliser, "normaliser"), options);
        WindowAttention.Backward(context, g, dq, dk, dv);
    }

    public override void SimilarityForward(
        ComputeDevice device, NativeTensor* query, NativeTensor* key, NativeTensor* scores, WindowAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var s = Wrap(device, scores, "scores");
        WindowSimilarity.Forward(q, k, s, options);
    }

    public override void SimilarityBackward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* gradScores,
        NativeTensor* gradQuery,
        NativeTensor* gradKey,
        WindowAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var g = Wrap(device, gradScores, "grad_scores");
        using var dq = WrapOptional(device, gradQuery, "grad_query");
        using var dk = WrapOptional(device, gradKey, "grad_key");
        WindowSimilarity.Backward(q, k, g, dq, dk, options);
    }

    public override void WeightsForward(
        ComputeDevice device,
        NativeTensor* scores,
        int keyHeight,
        int keyWidth,
        NativeTensor* weights,
        WindowAttentionOptions options,
        bool average)
    {
        using var s = Wrap(device, scores, "scores");
        using var w = Wrap(device, weights, "weights");
        WindowWeights.Forward(s, new MapShape(s.Shape.Batch, 1, keyHeight, keyWidth), w, options, average);
    }

    public override void WeightsBackward(
        ComputeDevice device,
        NativeTensor* scores,
        int keyHeight,
        int keyWidth,
        NativeTensor* gradWeights,
        NativeTensor* gradScores,
        WindowAttentionOptions options,
        bool average)
    {
        using var s = Wrap(device, scores, "scores");
        using var g = Wrap(device, gradWeights, "grad_weights");
        using var ds = Wrap(device, gradScores, "grad_scores");
        WindowWeights.Backward(s, new MapShape(s.Shape.Batch, 1, keyHeight, keyWidth), g, ds, options, average);
    }

    public override void ReassemblyForward(
        ComputeDevice device, NativeTensor* weights, NativeTensor* value, NativeTensor* output, WindowAttentionOptions options)
    {
        using var w = Wrap(device, weights, "weights");
        using var v = Wrap(device, value, "value");
        using var o = Wrap(device, output, "output");
        WindowReassembly.Forward(w, v, o, options);
    }

    public override void ReassemblyBackward(
        ComputeDevice device,
        NativeTensor* weights,
        NativeTensor* value,
        NativeTensor* gradOutput,
        NativeTensor* gradWeights,
        NativeTensor* gradValue,
        WindowAttentionOptions options)
    {
        using var w = Wrap(device, weights, "weights");
        using var v = Wrap(device, value, "value");
        using var g = Wrap(device, gradOutput, "grad_output");
        using var dw = WrapOptional(device, gradWeights, "grad_weights");
        using var dv = WrapOptional(device, gradValue, "grad_value");
        WindowReassembly.Backward(w, v, g, dw, dv, options);
    }

    public override void DeformableForward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* offsets,
        NativeTensor* output,
        DeformableAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var v = Wrap(device, value, "value");
        using var p = Wrap(device, offsets, "offsets");
        using var o = Wrap(device, output, "output");
        DeformableAttention.Forward(q, k, v, p, o, options);
    }

    public override void DeformableBackward(
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
        DeformableAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var v = Wrap(device, value, "value");
        using var p = Wrap(device, offsets, "offsets");
        using var g = Wrap(device, gradOutput, "grad_output");
        using var dq = WrapOptional(device, gradQuery, "grad_query");
        using var dk = WrapOptional(device, gradKey, "grad_key");
        using var dv = WrapOptional(device, gradValue, "grad_value");
        using var dp = WrapOptional(device, gradOffsets, "grad_offsets");
        DeformableAttention.Backward(q, k, v, p, g, dq, dk, dv, dp, options);
    }

    public override void CrossForward(
        ComputeDevice device,
        NativeTensor* query,
        NativeTensor* key,
        NativeTensor* value,
        NativeTensor* keyBias,
        WindowRanges ranges,
        NativeTensor* output,
        NativeTensor* statistics,
        CrossAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var v = Wrap(device, value, "value");
        using var b = WrapOptional(device, keyBias, "key_bias");
        using var o = Wrap(device, output, "output");
        using var s = statistics is null ? null : NativeTensor.Wrap(device, statistics, "statistics");
        CrossAttention.Forward(q, k, v, o, ranges, options, b, s);
    }

    public override void CrossBackward(
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
        CrossAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var v = Wrap(device, value, "value");
        using var b = WrapOptional(device, keyBias, "key_bias");
        using var g = Wrap(device, gradOutput, "grad_output");
        using var dq = WrapOptional(device, gradQuery, "grad_query");
        using var dk = WrapOptional(device, gradKey, "grad_key");
        using var dv = WrapOptional(device, gradValue, "grad_value");
        using var db = WrapOptional(device, gradKeyBias, "grad_key_bias");
        using var context = new CrossAttentionContext<T>(
            q, k, v, ranges, NativeTensor.Wrap(device, statistics, "statistics"), options, b);
        CrossAttention.Backward(context, g, dq, dk, dv, db);
    }

    public override void CrossDoubleBackward(
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
        CrossAttentionOptions options)
    {
        using var q = Wrap(device, query, "query");
        using var k = Wrap(device, key, "key");
        using var v = Wrap(device, value, "value");
        using var b = WrapOptional(device, keyBias, "key_bias");
        using var g = Wrap(device, gradOutput, "grad_output");
        using var towardsQuery = WrapOptional(device, queryDirection, "query_direction");
        using var towardsKey = WrapOptional(device, keyDirection, "key_direction");
        using var towardsValue = WrapOptional(device, valueDirection, "value_direction");
        using var towardsBias = WrapOptional(device, keyBiasDirection, "key_bias_direction");
        using var dg = WrapOptional(device, gradGradOutput, "grad_grad_output");
        using var dq = WrapOptional(device, gradQuery, "grad_query");
        using var dk = WrapOptional(device, gradKey, "grad_key");
        using var dv = WrapOptional(device, gradValue, "grad_value");
        using var db = WrapOptional(device, gradKeyBias, "grad_key_bias");
        using var context = new CrossAttentionContext<T>(
            q, k, v, ranges, NativeTensor.Wrap(device, statistics, "statistics"), options, b);
        if (b is null && db is not null)
            throw new ArgumentException("'grad_key_bias' is given, but 'key_bias' is null; give both, or neither.");
        Operand[] written =
        [
            new("grad_grad_output", dg), new("grad_query", dq), new("grad_key", dk), new("grad_value", dv),
            new("grad_key_bias", db),
        ];
        FeatureMap?[] likes = [g, q, k, v, b];
        for (int i = 0; i < written.Length; i++)
        {
            if (written[i].Map is not { } map)
                continue;
            OperandChecks.Shape(written[i].Name, map, likes[i]!.Shape, written);
            OperandChecks.NoOverlap(written[i].Name, map, [.. written, new("query", q), new("key", k), new("value", v)]);
        }
        var wanted = (dg is null ? Gradients.None : Gradients.GradOutput)
            | (dq is null ? Gradients.None : Gradients.Query)
            | (dk is null ? Gradients.None : Gradients.Key)
            | (dv is null ? Gradients.None : Gradients.Value)
            | (db is null ? Gradients.None : Gradients.KeyBias);
        using var second = CrossAttention.DoubleBackward(
            context, g, towardsQuery, towardsKey, towardsValue, towardsBias, wanted);
        dg?.CopyFrom(second.GradOutput!);
        dq?.CopyFrom(second.Query!);
        dk?.CopyFrom(second.Key!);
        dv?.CopyFrom(second.Value!);
        db?.CopyFrom(second.KeyBias!);
    }

    public override void InterpolateForward(
        ComputeDevice device, NativeTensor* input, NativeTensor* output, InterpolationMode mode, bool alignCorners)
    {
        using var i = Wrap(device, input, "input");
        using var o = Wrap(device, output, "output");
        Interpolate.Forward(i, o, mode, alignCorners);
    }

    public override void InterpolateBackward(
        ComputeDevice device, NativeTensor* gradOutput, NativeTensor* gradInput, InterpolationMode mode, bool alignCorners)
    {
        using var g = Wrap(device, gradOutput, "grad_output");
        using var di = Wrap(device, gradInput, "grad_input");
        Interpolate.Backward(g, di, mode, alignCorners);
    }

    public override void ProjectionForward(
        ComputeDevice device, NativeTensor* input, NativeTensor* weight, NativeTensor* bias, NativeTensor* output)
    {
        using var i = Wrap(device, input, "input");
        using var w = NativeTensor.Wrap(device, weight, "weight");
        using var b = bias is null ? null : NativeTensor.Wrap(device, bias, "bias");
        using var o = Wrap(device, output, "output");
        PointwiseProjection.Forward(i, new ProjectionWeights(w, b), o);
    }

    public override void ProjectionBackward(
        ComputeDevice device,
        NativeTensor* input,
        NativeTensor* weight,
        NativeTensor* bias,
        NativeTensor* gradOutput,
        NativeTensor* gradInput,
        NativeTensor* gradWeight,
        NativeTensor* gradBias)
    {
        if (gradWeight is null && gradBias is not null)
            throw new ArgumentException("'grad_weight' is null beside 'grad_bias'; give both, or neither.");
        using var i = Wrap(device, input, "input");
        using var w = NativeTensor.Wrap(device, weight, "weight");
        using var b = bias is null ? null : NativeTensor.Wrap(device, bias, "bias");
        using var g = Wrap(device, gradOutput, "grad_output");
        using var di = WrapOptional(device, gradInput, "grad_input");
        using var dw = gradWeight is null ? null : NativeTensor.Wrap(device, gradWeight, "grad_weight");
        using var db = gradBias is null ? null : NativeTensor.Wrap(device, gradBias, "grad_bias");
        PointwiseProjection.Backward(
            i, new ProjectionWeights(w, b), null, g, di, dw is null ? null : new ProjectionWeights(dw, db));
    }

    public override void NormForward(
        ComputeDevice device,
        NativeTensor* input,
        int groups,
        NativeTensor* weight,
        NativeTensor* bias,
        double epsilon,
        NativeTensor* output,
        NativeTensor* statistics)
    {
        using var i = Wrap(device, input, "input");
        using var w = NativeTensor.Wrap(device, weight, "weight");
        using var b = NativeTensor.Wrap(device, bias, "bias");
        using var o = Wrap(device, output, "output");
        using var s = NativeTensor.Wrap(device, statistics, "statistics");
        FeatureNorm.Forward(i, groups, w, b, epsilon, o, s);
    }

    public override void NormBackward(
        ComputeDevice device,
        NativeTensor* input,
        int groups,
        NativeTensor* weight,
        NativeTensor* statistics,
        NativeTensor* gradOutput,
        NativeTensor* gradInput,
        NativeTensor* gradWeight,
        NativeTensor* gradBias)
    {
        using var i = Wrap(device, input, "input");
        using var w = NativeTensor.Wrap(device, weight, "weight");
        using var s = NativeTensor.Wrap(device, statistics, "statistics");
        using var g = Wrap(device, gradOutput, "grad_output");
        using var di = Wrap(device, gradInput, "grad_input");
        using var dw = NativeTensor.Wrap(device, gradWeight, "grad_weight");
        using var db = NativeTensor.Wrap(device, gradBias, "grad_bias");
        FeatureNorm.Backward(i, groups, w, s, g, di, dw, db);
    }

    private static FeatureMap<T> Wrap(ComputeDevice device, NativeTensor* tensor, string name) =>
        NativeTensor.Wrap<T>(device, tensor, name);

    private static FeatureMap<T>? WrapOptional(ComputeDevice device, NativeTensor* tensor, string name) =>
        NativeTensor.WrapOptional<T>(device, tensor, name);
}

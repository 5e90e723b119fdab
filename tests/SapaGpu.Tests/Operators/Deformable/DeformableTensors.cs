namespace SapaGpu.Tests.Operators;

/// <summary>The operands of a problem of deformable attention on a device.</summary>
public sealed class DeformableTensors<T>(
    DeformableOperands operands, ComputeDevice device, MemoryFormat format) : IDisposable
    where T : unmanaged
{
    public DeformableAttentionOptions Options => operands.Problem.Options;

    public FeatureMap<T> Query { get; } = operands.Query.ToTensor<T>(device, format);

    public FeatureMap<T> Key { get; } = operands.Key.ToTensor<T>(device, format);

    public FeatureMap<T> Value { get; } = operands.Value.ToTensor<T>(device, format);

    public FeatureMap<T> Weights { get; } = operands.Weights.ToTensor<T>(device, format);

    public FeatureMap<T> Offsets { get; } = operands.Offsets.ToTensor<T>(device, format);

    public FeatureMap<T> GradScores { get; } = operands.GradScores.ToTensor<T>(device, format);

    public FeatureMap<T> GradOutput { get; } = operands.GradOutput.ToTensor<T>(device, format);

    public FeatureMap<T> Scores() => DeformableSimilarity.Forward(Query, Key, Offsets, Options);

    public FeatureMap<T> Reassemble() => DeformableReassembly.Forward(Weights, Value, Offsets, Options);

    public FeatureMap<T> Forward() => DeformableAttention.Forward(Query, Key, Value, Offsets, Options);

    public DeformableSimilarityGradients<T> ScoresBackward() =>
        DeformableSimilarity.Backward(Query, Key, Offsets, GradScores, Options);

    public DeformableReassemblyGradients<T> ReassembleBackward() =>
        DeformableReassembly.Backward(Weights, Value, Offsets, GradOutput, Options);

    public DeformableAttentionGradients<T> Backward() =>
        DeformableAttention.Backward(Query, Key, Value, Offsets, GradOutput, Options);

    public void Dispose()
    {
        foreach (var tensor in new[] { Query, Key, Value, Weights, Offsets, GradScores, GradOutput })
            tensor.Dispose();
    }
}

namespace SapaGpu.Tests.Operators;

/// <summary>The operands of a problem of deformable attention on a device.</summary>
public sealed class DeformableTensors<T>(DeformableOperands operands, Device device, MemoryFormat format) : IDisposable
    where T : unmanaged
{
    public DeformableOptions Options => operands.Problem.Options;

    public Tensor<T> Query { get; } = operands.Query.ToTensor<T>(device, format);

    public Tensor<T> Key { get; } = operands.Key.ToTensor<T>(device, format);

    public Tensor<T> Value { get; } = operands.Value.ToTensor<T>(device, format);

    public Tensor<T> Weights { get; } = operands.Weights.ToTensor<T>(device, format);

    public Tensor<T> Offsets { get; } = operands.Offsets.ToTensor<T>(device, format);

    public Tensor<T> GradScores { get; } = operands.GradScores.ToTensor<T>(device, format);

    public Tensor<T> GradOutput { get; } = operands.GradOutput.ToTensor<T>(device, format);

    public Tensor<T> Scores() => DeformableAttention.Scores(Query, Key, Offsets, Options);

    public Tensor<T> Reassemble() => DeformableAttention.Reassemble(Weights, Value, Offsets, Options);

    public Tensor<T> Forward() => DeformableAttention.Forward(Query, Key, Value, Offsets, Options);

    public (Tensor<T> Query, Tensor<T> Key, Tensor<T> Offsets) ScoresBackward() =>
        DeformableAttention.ScoresBackward(Query, Key, Offsets, GradScores, Options);

    public (Tensor<T> Weights, Tensor<T> Value, Tensor<T> Offsets) ReassembleBackward() =>
        DeformableAttention.ReassembleBackward(Weights, Value, Offsets, GradOutput, Options);

    public DeformableGradients<T> Backward() =>
        DeformableAttention.Backward(Query, Key, Value, Offsets, GradOutput, Options);

    public void Dispose()
    {
        foreach (var tensor in new[] { Query, Key, Value, Weights, Offsets, GradScores, GradOutput })
            tensor.Dispose();
    }
}

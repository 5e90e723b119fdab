namespace SapaGpu.Workloads;

/// <summary>Deformable attention, at given offsets.</summary>
internal sealed class DeformableRun<T> : OperatorRun
    where T : unmanaged
{
    // Points lie up to two cells away, as in a window of five.
    private const double OffsetMagnitude = 4.0;

    private readonly FeatureMap<T> query, key, value, offsets, gradOutput;

    public DeformableRun(RandomMaps<T> operands, Stage stage)
    {
        query = Own(operands.Create(stage.Shape.QueryShape));
        key = Own(operands.Create(stage.Shape.KeyShape));
        value = Own(operands.Create(stage.Shape.ValueShape));
        offsets = Own(operands.Create(DeformableStage.OffsetShape(stage), OffsetMagnitude));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
    }

    public override void Forward() =>
        DeformableAttention.Forward(query, key, value, offsets, DeformableStage.Options).Dispose();

    public override void Backward() =>
        DeformableAttention.Backward(query, key, value, offsets, gradOutput, DeformableStage.Options).Dispose();

    public override OperatorSample Sample()
    {
        using var output = DeformableAttention.Forward(query, key, value, offsets, DeformableStage.Options);
        using var gradients =
            DeformableAttention.Backward(query, key, value, offsets, gradOutput, DeformableStage.Options);
        return new OperatorSample(
            [
                HostArray.Of("query", query),
                HostArray.Of("key", key),
                HostArray.Of("value", value),
                HostArray.Of("offsets", offsets),
            ],
            HostArray.Of(gradOutput),
            HostArray.Of(output),
            [
                HostArray.Of("query", gradients.Query!),
                HostArray.Of("key", gradients.Key!),
                HostArray.Of("value", gradients.Value!),
                HostArray.Of("offsets", gradients.Offsets!),
            ]);
    }
}

namespace SapaGpu.Workloads;

/// <summary>Cross-resolution attention with the ranges of a stage.</summary>
internal sealed class CrossRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly CrossAttentionOptions options;
    private readonly WindowRanges ranges;
    private readonly FeatureMap<T> query, key, value, output, gradOutput, gradQuery, gradKey, gradValue;
    private readonly FeatureMap statistics;
    private readonly CrossAttentionContext<T> context;

    public CrossRun(RandomMaps<T> operands, Stage stage)
    {
        options = stage.CrossOptions;
        ranges = stage.Ranges;
        query = Own(operands.Create(stage.Shape.QueryShape));
        key = Own(operands.Create(stage.Shape.KeyShape));
        value = Own(operands.Create(stage.Shape.ValueShape));
        output = Own(operands.CreateResult(stage.Shape.OutputShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        gradQuery = Own(operands.CreateResult(stage.Shape.QueryShape));
        gradKey = Own(operands.CreateResult(stage.Shape.KeyShape));
        gradValue = Own(operands.CreateResult(stage.Shape.ValueShape));
        CrossAttention.Forward(query, key, value, ranges, options, null, out context).Dispose();
        statistics = Own(context).Statistics;
    }

    public override void Forward() => CrossAttention.Forward(query, key, value, output, ranges, options);

    public override void Backward() => CrossAttention.Backward(context, gradOutput, gradQuery, gradKey, gradValue);

    public override void Both()
    {
        CrossAttention.Forward(query, key, value, output, ranges, options, null, statistics);
        Backward();
    }

    public override OperatorSample Sample()
    {
        Both();
        return new OperatorSample(
            [HostArray.Of("query", query), HostArray.Of("key", key), HostArray.Of("value", value)],
            HostArray.Of(gradOutput),
            HostArray.Of(output),
            [HostArray.Of("query", gradQuery), HostArray.Of("key", gradKey), HostArray.Of("value", gradValue)]);
    }
}

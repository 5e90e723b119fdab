namespace SapaGpu.Benchmarks;

/// <summary>A named problem and its operands on the CPU.</summary>
public sealed class Workload : IDisposable
{
    private readonly Random random = new(1);

    public Workload(Device device, WindowShape shape, MemoryFormat format)
    {
        Shape = shape;
        Query = Create(device, shape.QueryShape, format);
        Key = Create(device, shape.KeyShape, format);
        Value = Create(device, shape.ValueShape, format);
        GradOutput = Create(device, shape.OutputShape, format);
        Output = Create(device, shape.OutputShape, format);
        GradQuery = Create(device, shape.QueryShape, format);
        GradKey = Create(device, shape.KeyShape, format);
        GradValue = Create(device, shape.ValueShape, format);
        Context = new WindowAttentionContext<float>(device, shape);
        Options = new WindowAttentionOptions { Window = shape.Window };
        WindowAttention.Forward(Query, Key, Value, Output, Options, Context);
    }

    /// <summary>Gets 256 channels of 64×64 cells, doubled, with a 5×5 window and 64 channels of embedding.</summary>
    public static WindowShape Medium { get; } = new(1, 64, 64, window: 5, scale: 2, embeddingChannels: 64, valueChannels: 256);

    public WindowShape Shape { get; }

    public Tensor<float> Query { get; }

    public Tensor<float> Key { get; }

    public Tensor<float> Value { get; }

    public Tensor<float> GradOutput { get; }

    public Tensor<float> Output { get; }

    public Tensor<float> GradQuery { get; }

    public Tensor<float> GradKey { get; }

    public Tensor<float> GradValue { get; }

    public WindowAttentionContext<float> Context { get; }

    public WindowAttentionOptions Options { get; }

    /// <summary>Gets the multiplications and additions of the forward.</summary>
    public double ForwardOperations => 2.0 * Shape.WeightsShape.ElementCount
        * (Shape.QueryShape.Channels + Shape.ValueShape.Channels);

    /// <summary>Gets those of the backward: scores, gradients of weights, of query, key and value.</summary>
    public double BackwardOperations => 2.0 * Shape.WeightsShape.ElementCount
        * (3.0 * Shape.QueryShape.Channels + 2.0 * Shape.ValueShape.Channels);

    public void Forward() => WindowAttention.Forward(Query, Key, Value, Output, Options);

    public void Backward() => WindowAttention.Backward(Context, GradOutput, GradQuery, GradKey, GradValue);

    public void Dispose()
    {
        foreach (var tensor in new[] { Query, Key, Value, GradOutput, Output, GradQuery, GradKey, GradValue })
            tensor.Dispose();
        Context.Dispose();
    }

    private Tensor<float> Create(Device device, TensorShape shape, MemoryFormat format)
    {
        var values = new float[shape.ElementCount];
        for (int i = 0; i < values.Length; i++)
            values[i] = random.NextSingle() - 0.5f;
        return Tensor<float>.From(device, shape, values, format);
    }
}

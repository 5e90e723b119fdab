namespace SapaGpu.Cli.Benchmarking;

/// <summary>The operators that are measured.</summary>
internal enum Operator
{
    WindowAttention,
    SapaB,
    Carafe,
    Bilinear,
    Nearest,
}

/// <summary>An operator with its operands for one stage of a workload, ready to be timed.</summary>
internal abstract class OperatorRun : IDisposable
{
    private readonly List<IDisposable> owned = [];

    /// <summary>Gets what the forward has to do at least.</summary>
    public abstract Cost ForwardCost { get; }

    /// <summary>Gets what the backward has to do at least.</summary>
    public abstract Cost BackwardCost { get; }

    /// <summary>Makes the operands of an operator.</summary>
    public static OperatorRun Create(
        Operator kind, Device device, Stage stage, ElementType elementType, MemoryFormat format) => elementType switch
        {
            ElementType.Float64 => Create<double>(kind, device, stage, format),
            ElementType.Float16 => Create<Half>(kind, device, stage, format),
            ElementType.BFloat16 => Create<BFloat16>(kind, device, stage, format),
            _ => Create<float>(kind, device, stage, format),
        };

    private static OperatorRun Create<T>(Operator kind, Device device, Stage stage, MemoryFormat format)
        where T : unmanaged
    {
        var operands = new Operands<T>(device, format);
        return kind switch
        {
            Operator.WindowAttention => new AttentionRun<T>(operands, stage),
            Operator.SapaB => new SapaRun<T>(operands, stage),
            Operator.Carafe => new ReassemblyRun<T>(operands, stage),
            Operator.Bilinear => new InterpolationRun<T>(operands, stage, InterpolationMode.Bilinear),
            _ => new InterpolationRun<T>(operands, stage, InterpolationMode.Nearest),
        };
    }

    /// <summary>Queues the forward.</summary>
    public abstract void Forward();

    /// <summary>Queues the backward.</summary>
    public abstract void Backward();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var item in owned)
            item.Dispose();
    }

    /// <summary>Hands an object over, to be disposed with the run.</summary>
    protected TItem Own<TItem>(TItem item)
        where TItem : IDisposable
    {
        owned.Add(item);
        return item;
    }
}

/// <summary>Makes tensors with reproducible random values.</summary>
internal sealed class Operands<T>(Device device, MemoryFormat format)
    where T : unmanaged
{
    private readonly Random random = new(1);

    public Device Device => device;

    public int ElementSize { get; } = ElementTypes.Of<T>().Size();

    public Tensor<T> Create(TensorShape shape, double magnitude = 1.0)
    {
        var type = ElementTypes.Of<T>();
        var values = new T[shape.ElementCount];
        for (int i = 0; i < values.Length; i++)
            values[i] = Value(type, (random.NextDouble() - 0.5) * magnitude);
        return Tensor<T>.From(device, shape, values, format);
    }

    private static T Value(ElementType type, double value) => type switch
    {
        ElementType.Float64 => (T)(object)value,
        ElementType.Float16 => (T)(object)(Half)value,
        ElementType.BFloat16 => (T)(object)(BFloat16)value,
        _ => (T)(object)(float)value,
    };
}

/// <summary>Window attention on given query, key and value.</summary>
internal sealed class AttentionRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly Stage stage;
    private readonly int size;
    private readonly Tensor<T> query, key, value, output, gradOutput, gradQuery, gradKey, gradValue;
    private readonly WindowAttentionContext<T> context;

    public AttentionRun(Operands<T> operands, Stage stage)
    {
        this.stage = stage;
        size = operands.ElementSize;
        query = Own(operands.Create(stage.Shape.QueryShape));
        key = Own(operands.Create(stage.Shape.KeyShape));
        value = Own(operands.Create(stage.Shape.ValueShape));
        output = Own(operands.Create(stage.Shape.OutputShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        gradQuery = Own(operands.Create(stage.Shape.QueryShape));
        gradKey = Own(operands.Create(stage.Shape.KeyShape));
        gradValue = Own(operands.Create(stage.Shape.ValueShape));
        context = Own(new WindowAttentionContext<T>(operands.Device, stage.Shape, stage.Options));
        WindowAttention.Forward(query, key, value, output, stage.Options, context);
    }

    public override Cost ForwardCost => Cost.AttentionForward(stage, size);

    public override Cost BackwardCost => Cost.AttentionBackward(stage, size);

    public override void Forward() => WindowAttention.Forward(query, key, value, output, stage.Options);

    public override void Backward() => WindowAttention.Backward(context, gradOutput, gradQuery, gradKey, gradValue);
}

/// <summary>The module SAPA-B.</summary>
internal sealed class SapaRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly Stage stage;
    private readonly int size;
    private readonly SapaUpsampler<T> module;
    private readonly Tensor<T> encoder, decoder, gradOutput;
    private readonly SapaContext<T> context;

    public SapaRun(Operands<T> operands, Stage stage)
    {
        this.stage = stage;
        size = operands.ElementSize;
        module = Own(new SapaUpsampler<T>(operands.Device, new SapaOptions
        {
            EncoderChannels = stage.EncoderChannels,
            DecoderChannels = stage.Channels,
            EmbeddingChannels = stage.Embedding,
            Window = stage.Window,
        }));
        encoder = Own(operands.Create(stage.EncoderShape));
        decoder = Own(operands.Create(stage.Shape.ValueShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        module.Forward(encoder, decoder, out context).Dispose();
        Own(context);
    }

    public override Cost ForwardCost => Cost.SapaForward(stage, size);

    public override Cost BackwardCost => Cost.SapaBackward(stage, size);

    public override void Forward() => module.Forward(encoder, decoder).Dispose();

    public override void Backward() => module.Backward(context, gradOutput).Dispose();
}

/// <summary>The reassembly of CARAFE, by given kernels.</summary>
internal sealed class ReassemblyRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly Stage stage;
    private readonly int size;
    private readonly Tensor<T> weights, value, output, gradOutput, gradWeights, gradValue;
    private readonly WindowAttentionOptions options;

    public ReassemblyRun(Operands<T> operands, Stage stage)
    {
        this.stage = stage;
        size = operands.ElementSize;
        options = new WindowAttentionOptions { Window = stage.Window };
        weights = Own(operands.Create(stage.Shape.WeightsShape, 1.0 / stage.Window));
        value = Own(operands.Create(stage.Shape.ValueShape));
        output = Own(operands.Create(stage.Shape.OutputShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        gradWeights = Own(operands.Create(stage.Shape.WeightsShape));
        gradValue = Own(operands.Create(stage.Shape.ValueShape));
    }

    public override Cost ForwardCost => Cost.ReassemblyForward(stage, size);

    public override Cost BackwardCost => Cost.ReassemblyBackward(stage, size);

    public override void Forward() => WindowReassembly.Forward(weights, value, output, options);

    public override void Backward() =>
        WindowReassembly.Backward(weights, value, gradOutput, gradWeights, gradValue, options);
}

/// <summary>Interpolation, which knows no guide.</summary>
internal sealed class InterpolationRun<T> : OperatorRun
    where T : unmanaged
{
    // Two multiply-adds along each axis, where the rows are shared by two; nearest only copies.
    private const double BilinearOperations = 6;

    private readonly Stage stage;
    private readonly int size;
    private readonly InterpolationMode mode;
    private readonly Tensor<T> input, output, gradOutput, gradInput;

    public InterpolationRun(Operands<T> operands, Stage stage, InterpolationMode mode)
    {
        this.stage = stage;
        this.mode = mode;
        size = operands.ElementSize;
        input = Own(operands.Create(stage.Shape.ValueShape));
        output = Own(operands.Create(stage.Shape.OutputShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        gradInput = Own(operands.Create(stage.Shape.ValueShape));
    }

    public override Cost ForwardCost =>
        Cost.Interpolation(stage, size, mode == InterpolationMode.Bilinear ? BilinearOperations : 0);

    public override Cost BackwardCost => ForwardCost;

    public override void Forward() => Interpolate.Forward(input, output, mode);

    public override void Backward() => Interpolate.Backward(gradOutput, gradInput, mode);
}

using SapaGpu.Maps;

namespace SapaGpu.Workloads;

/// <summary>An operator with its operands for one stage of a workload, ready to be timed.</summary>
internal abstract class OperatorRun : IDisposable
{
    private readonly List<IDisposable> owned = [];

    /// <summary>Makes the operands of an operator.</summary>
    public static OperatorRun Create(
        Operator kind, ComputeDevice device, Stage stage, ElementType elementType, MemoryFormat format) =>
            elementType.Dispatch<Creation, OperatorRun>(new Creation(kind, device, stage, format));

    private static OperatorRun Create<T>(Operator kind, ComputeDevice device, Stage stage, MemoryFormat format)
        where T : unmanaged
    {
        var operands = new RandomMaps<T>(device, format);
        return kind switch
        {
            Operator.WindowAttention => new AttentionRun<T>(operands, stage),
            Operator.CrossAttention => new CrossRun<T>(operands, stage),
            Operator.SapaI => new SapaRun<T>(operands, stage, Similarity.InnerProduct),
            Operator.SapaB => new SapaRun<T>(operands, stage, Similarity.Bilinear),
            Operator.SapaG => new SapaRun<T>(operands, stage, Similarity.GatedBilinear),
            Operator.SapaD => new SapaDeformableRun<T>(operands, stage),
            Operator.Deformable => new DeformableRun<T>(operands, stage),
            Operator.Carafe => new ReassemblyRun<T>(operands, stage),
            Operator.CarafeModule => new CarafeRun<T>(operands, stage),
            Operator.Bilinear => new InterpolationRun<T>(operands, stage, InterpolationMode.Bilinear),
            _ => new InterpolationRun<T>(operands, stage, InterpolationMode.Nearest),
        };
    }

    /// <summary>Queues the forward.</summary>
    public abstract void Forward();

    /// <summary>Queues the backward.</summary>
    public abstract void Backward();

    /// <summary>Queues a forward that keeps what the backward needs, and that backward.</summary>
    public virtual void Both()
    {
        Forward();
        Backward();
    }

    /// <summary>
    /// Runs both and copies operands and results to the host, to be compared with another implementation.
    /// </summary>
    public abstract OperatorSample Sample();

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

    private readonly struct Creation(Operator kind, ComputeDevice device, Stage stage, MemoryFormat format)
        : IElementVisitor<OperatorRun>
    {
        public OperatorRun Visit<T>()
            where T : unmanaged => Create<T>(kind, device, stage, format);
    }
}

/// <summary>Window attention on given query, key and value.</summary>
internal sealed class AttentionRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly WindowAttentionOptions options;
    private readonly FeatureMap<T> query, key, value, output, gradOutput, gradQuery, gradKey, gradValue;
    private readonly WindowAttentionContext<T> context;

    public AttentionRun(RandomMaps<T> operands, Stage stage)
    {
        options = stage.Options;
        query = Own(operands.Create(stage.Shape.QueryShape));
        key = Own(operands.Create(stage.Shape.KeyShape));
        value = Own(operands.Create(stage.Shape.ValueShape));
        output = Own(operands.CreateResult(stage.Shape.OutputShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        gradQuery = Own(operands.CreateResult(stage.Shape.QueryShape));
        gradKey = Own(operands.CreateResult(stage.Shape.KeyShape));
        gradValue = Own(operands.CreateResult(stage.Shape.ValueShape));
        context = Own(new WindowAttentionContext<T>(operands.Device, stage.Shape, options));
        WindowAttention.Forward(query, key, value, output, options, context);
    }

    public override void Forward() => WindowAttention.Forward(query, key, value, output, options);

    public override void Backward() => WindowAttention.Backward(context, gradOutput, gradQuery, gradKey, gradValue);

    public override void Both()
    {
        WindowAttention.Forward(query, key, value, output, options, context);
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

/// <summary>The modules SAPA-I, -B and -G.</summary>
internal sealed class SapaRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly SapaUpsampler<T> module;
    private readonly FeatureMap<T> encoder, decoder, gradOutput;
    private readonly SapaContext<T> context;

    public SapaRun(RandomMaps<T> operands, Stage stage, Similarity similarity)
    {
        var options = stage.SapaOptions(similarity);
        module = Own(new SapaUpsampler<T>(operands.Device, options));
        encoder = Own(operands.Create((stage with { EncoderChannels = options.EncoderChannels }).EncoderShape));
        decoder = Own(operands.Create(stage.Shape.ValueShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        module.Forward(encoder, decoder, out context).Dispose();
        Own(context);
    }

    public override void Forward() => module.Forward(encoder, decoder).Dispose();

    public override void Backward() => module.Backward(context, gradOutput).Dispose();

    public override void Both()
    {
        module.Forward(encoder, decoder, out var own).Dispose();
        using (own)
            module.Backward(own, gradOutput).Dispose();
    }

    public override OperatorSample Sample()
    {
        using var output = module.Forward(encoder, decoder);
        using var gradients = module.Backward(context, gradOutput);
        return new OperatorSample(
            [HostArray.Of("encoder", encoder), HostArray.Of("decoder", decoder), .. HostArray.Of(module.Parameters)],
            HostArray.Of(gradOutput),
            HostArray.Of(output),
            [
                HostArray.Of("encoder", gradients.Encoder),
                HostArray.Of("decoder", gradients.Decoder),
                .. HostArray.Of(gradients.Parameters),
            ]);
    }
}

/// <summary>The reassembly of CARAFE, by given kernels.</summary>
internal sealed class ReassemblyRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly FeatureMap<T> weights, value, output, gradOutput, gradWeights, gradValue;
    private readonly WindowAttentionOptions options;

    public ReassemblyRun(RandomMaps<T> operands, Stage stage)
    {
        options = new WindowAttentionOptions { Window = stage.Window };
        weights = Own(operands.Create(stage.Shape.WeightsShape, 1.0 / stage.Window));
        value = Own(operands.Create(stage.Shape.ValueShape));
        output = Own(operands.CreateResult(stage.Shape.OutputShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        gradWeights = Own(operands.CreateResult(stage.Shape.WeightsShape));
        gradValue = Own(operands.CreateResult(stage.Shape.ValueShape));
    }

    public override void Forward() => WindowReassembly.Forward(weights, value, output, options);

    public override void Backward() =>
        WindowReassembly.Backward(weights, value, gradOutput, gradWeights, gradValue, options);

    public override OperatorSample Sample()
    {
        Both();
        return new OperatorSample(
            [HostArray.Of("weights", weights), HostArray.Of("value", value)],
            HostArray.Of(gradOutput),
            HostArray.Of(output),
            [HostArray.Of("weights", gradWeights), HostArray.Of("value", gradValue)]);
    }
}

/// <summary>Interpolation, which knows no guide.</summary>
internal sealed class InterpolationRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly InterpolationMode mode;
    private readonly FeatureMap<T> input, output, gradOutput, gradInput;

    public InterpolationRun(RandomMaps<T> operands, Stage stage, InterpolationMode mode)
    {
        this.mode = mode;
        input = Own(operands.Create(stage.Shape.ValueShape));
        output = Own(operands.CreateResult(stage.Shape.OutputShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        gradInput = Own(operands.CreateResult(stage.Shape.ValueShape));
    }

    public override void Forward() => Interpolate.Forward(input, output, mode);

    public override void Backward() => Interpolate.Backward(gradOutput, gradInput, mode);

    public override OperatorSample Sample()
    {
        Both();
        return new OperatorSample(
            [HostArray.Of("input", input)],
            HostArray.Of(gradOutput),
            HostArray.Of(output),
            [HostArray.Of("input", gradInput)]);
    }
}

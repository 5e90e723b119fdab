namespace SapaGpu.Workloads;

/// <summary>The module SAPA-D.</summary>
internal sealed class SapaDeformableRun<T> : OperatorRun
    where T : unmanaged
{
    // Offsets of a fraction of a cell to a few cells, rather than the initial ones, which are all 0.
    private const double OffsetWeight = 0.1;

    private readonly SapaDeformableUpsampler<T> module;
    private readonly FeatureMap<T> encoder, decoder, gradOutput;
    private readonly SapaDeformableContext<T> context;

    public SapaDeformableRun(RandomMaps<T> operands, Stage stage)
    {
        module = Own(new SapaDeformableUpsampler<T>(operands.Device, stage.DeformableAttentionOptions));
        var random = new Random(1);
        var offsets = module["offset.weight"];
        offsets.Write([.. offsets.Read().Select(_ => (random.NextDouble() - 0.5) * OffsetWeight)]);
        encoder = Own(operands.Create(stage.EncoderShape));
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

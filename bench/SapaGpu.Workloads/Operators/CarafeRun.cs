namespace SapaGpu.Workloads;

/// <summary>The module CARAFE, which predicts its kernels.</summary>
internal sealed class CarafeRun<T> : OperatorRun
    where T : unmanaged
{
    private readonly CarafeUpsampler<T> module;
    private readonly FeatureMap<T> features, gradOutput;
    private readonly CarafeContext<T> context;

    public CarafeRun(RandomMaps<T> operands, Stage stage)
    {
        module = Own(new CarafeUpsampler<T>(operands.Device, new CarafeOptions
        {
            Channels = stage.Channels,
            Scale = stage.Scale,
            Window = stage.Window,
        }));
        features = Own(operands.Create(stage.Shape.ValueShape));
        gradOutput = Own(operands.Create(stage.Shape.OutputShape));
        module.Forward(features, out context).Dispose();
        Own(context);
    }

    public override void Forward() => module.Forward(features).Dispose();

    public override void Backward() => module.Backward(context, gradOutput).Dispose();

    public override void Both()
    {
        module.Forward(features, out var own).Dispose();
        using (own)
            module.Backward(own, gradOutput).Dispose();
    }

    public override OperatorSample Sample()
    {
        using var output = module.Forward(features);
        using var gradients = module.Backward(context, gradOutput);
        return new OperatorSample(
            [HostArray.Of("features", features), .. HostArray.Of(module.Parameters)],
            HostArray.Of(gradOutput),
            HostArray.Of(output),
            [HostArray.Of("features", gradients.Features), .. HostArray.Of(gradients.Parameters)]);
    }
}

namespace SapaGpu.Tests.Modules;

/// <summary>A case of <see cref="CarafeUpsampler{T}"/>.</summary>
public sealed class CarafeCase : ModuleCase
{
    private readonly CarafeOptions options;
    private readonly ReferenceMap features;

    private CarafeCase(CarafeOptions options, int batch, int height, int width)
    {
        this.options = options;
        var random = new Random(6);
        features = ReferenceMap.Random(random, new MapShape(batch, options.Channels, height, width));
        GradOutput = ReferenceMap.Random(
            random, new MapShape(batch, options.Channels, height * options.Scale, width * options.Scale));
        Inputs = new Dictionary<string, ReferenceMap> { ["x"] = features };
        Draw(random, magnitude: 0.5);
    }

    public override IReadOnlyDictionary<string, ReferenceMap> Inputs { get; }

    public override ReferenceMap GradOutput { get; }

    /// <summary>A case whose inputs are rounded to an element type.</summary>
    public static CarafeCase Of<T>(CarafeOptions options, int batch = 1, int height = 2, int width = 3)
        where T : unmanaged
    {
        var result = new CarafeCase(options, batch, height, width);
        result.features.Rounded<T>();
        result.GradOutput.Rounded<T>();
        return result;
    }

    public override ReferenceMap Forward() => ReferenceModules.Carafe(options, features, Parameters);

    public override UpsamplerModule<T> Create<T>(ComputeDevice device) => new CarafeUpsampler<T>(device, options);

    public override FeatureMap<T> Forward<T>(UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs) =>
        ((CarafeUpsampler<T>)module).Forward(inputs[0]);

    public override void Forward<T>(
        UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs, FeatureMap<T> output) =>
        ((CarafeUpsampler<T>)module).Forward(inputs[0], output);

    public override ModuleResults<T> Run<T>(
        UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs, FeatureMap<T> gradOutput)
    {
        var own = (CarafeUpsampler<T>)module;
        var output = own.Forward(inputs[0], out var context);
        using (context)
        {
            var gradients = own.Backward(context, gradOutput);
            return new(output, [gradients.Features], gradients.Parameters, gradients);
        }
    }
}

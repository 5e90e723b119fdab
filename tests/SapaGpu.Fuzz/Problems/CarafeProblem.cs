using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary><see cref="CarafeUpsampler{T}"/>.</summary>
internal sealed class CarafeProblem : ModuleProblem
{
    private readonly CarafeOptions options;

    public CarafeProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        int groups = kernel.Of(1, 1, 2);
        options = new()
        {
            Channels = groups * draw.Int(1, 4),
            Scale = kernel.Of(1, 2, 2, 3),
            Window = kernel.Of(1, 3, 5),
            Groups = groups,
            EncoderKernel = kernel.Of(1, 3, 3, 5),
            EncoderDilation = kernel.Of(1, 1, 2),
            CompressedChannels = draw.Int(1, 4),
        };
        var (images, height, width) = (draw.Of(1, 1, 2), draw.Int(1, 3), draw.Int(1, 4));
        Add("features", new MapShape(images, options.Channels, height, width), Gradients.None);
        AddParameters(magnitude: 0.5);
        AddGradient(new MapShape(images, options.Channels, height * options.Scale, width * options.Scale));
    }

    public override string Name => $"{options}";

    public override ReferenceMap Expected() => ReferenceModules.Carafe(options, Operands[0].Values, Parameters);

    public override void Run<T>(Execution<T> run)
    {
        var module = (CarafeUpsampler<T>)run.Prepared;
        run.Output(module.Forward(run[0], out var context));
        using (context)
        {
            var gradients = run.Keep(module.Backward(context, run.GradOutput));
            run.Gradient(0, gradients.Features);
            TakeParameters(run, gradients.Parameters);
        }
    }

    protected override UpsamplerModule<T> Create<T>(ComputeDevice device) => new CarafeUpsampler<T>(device, options);
}

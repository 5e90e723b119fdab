using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary><see cref="SapaUpsampler{T}"/> with all its similarities and normalisations.</summary>
internal sealed class SapaProblem : ModuleProblem
{
    private readonly SapaOptions options;

    public SapaProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        var similarity = kernel.Enum<Similarity>();
        int decoder = 2 * draw.Int(1, 4);
        options = new()
        {
            EncoderChannels = similarity == Similarity.InnerProduct ? decoder : 2 * draw.Int(1, 4),
            DecoderChannels = decoder,
            Similarity = similarity,
            FeatureNorm = kernel.Enum<FeatureNormKind>(),
            NormGroups = draw.Of(1, 2),
            EmbeddingChannels = draw.Int(1, 6),
            ValueChannels = draw.OnceIn(3) ? draw.Int(1, 5) : null,
            Window = kernel.Of(1, 3, 3, 5),
            Border = kernel.OnceIn(2) ? BorderRule.ZeroLogit : kernel.Of(BorderRule.Masked, BorderRule.Replicate),
            HasBias = draw.OnceIn(2),
            Epsilon = 1e-3,
            AllowsDownsampling = true,
        };
        int images = draw.Of(1, 1, 2);
        var (height, width, ratio) = (draw.Int(1, 3), draw.Int(1, 3), kernel.Of(1, 2, 2, 3));
        bool isOdd = draw.OnceIn(3);
        Add("encoder", new MapShape(images, options.EncoderChannels, Sized(height), Sized(width)), Gradients.None);
        Add("decoder", new MapShape(images, decoder, height, width), Gradients.None);
        AddParameters(magnitude: 0.5);
        AddGradient(ReferenceMaps.WithChannels(Operands[0].Shape, options.OutputChannels));

        int Sized(int cells) => isOdd ? draw.Int(1, 3 * cells) : cells * ratio;
    }

    public override string Name => $"{options}";

    public override ReferenceMap Expected() =>
        ReferenceModules.Sapa(options, Operands[0].Values, Operands[1].Values, Parameters);

    public override void Run<T>(Execution<T> run)
    {
        var module = (SapaUpsampler<T>)run.Prepared;
        run.Output(module.Forward(run[0], run[1], out var context));
        using (context)
        {
            var gradients = run.Keep(module.Backward(context, run.GradOutput));
            run.Gradient(0, gradients.Encoder);
            run.Gradient(1, gradients.Decoder);
            TakeParameters(run, gradients.Parameters);
        }
    }

    protected override UpsamplerModule<T> Create<T>(ComputeDevice device) => new SapaUpsampler<T>(device, options);
}

using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary><see cref="SapaDeformableUpsampler{T}"/> with points away from whole coordinates, where gradients jump.</summary>
internal sealed class SapaDeformableProblem : ModuleProblem
{
    private const double LeastClearance = 1e-3;

    private readonly SapaDeformableOptions options;

    public SapaDeformableProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        int groups = kernel.Of(1, 2);
        options = new()
        {
            EncoderChannels = 2 * draw.Int(1, 3),
            DecoderChannels = groups * 2 * draw.Int(1, 2),
            Scale = kernel.Of(1, 2, 3),
            Groups = groups,
            Points = kernel.Of(1, 2, 4),
            EmbeddingChannels = groups * draw.Int(1, 3),
            HighResolutionOffsets = kernel.OnceIn(2),
            FeatureNorm = kernel.Of(FeatureNormKind.None, FeatureNormKind.Group),
            NormGroups = draw.Of(1, 2),
            HasBias = draw.OnceIn(2),
            Epsilon = 1e-3,
        };
        int images = draw.Of(1, 1, 2);
        var (height, width) = (draw.Int(1, 3), draw.Int(1, 3));
        Add(
            "encoder",
            new MapShape(images, options.EncoderChannels, height * options.Scale, width * options.Scale),
            Gradients.None);
        Add("decoder", new MapShape(images, options.DecoderChannels, height, width), Gradients.None);
        AddParameters(magnitude: 0.5);
        AddGradient(ReferenceMaps.WithChannels(Operands[0].Shape, options.DecoderChannels));
        while (Clearance() < LeastClearance)
        {
            foreach (var operand in Operands.Where(operand => !operand.Name.StartsWith("norm", StringComparison.Ordinal)))
            {
                for (int i = 0; i < operand.Values.Values.Length; i++)
                    operand.Values.Values[i] = (float)(draw.Random.NextDouble() * 2 - 1);
            }
        }
    }

    public override string Name => $"{options}";

    // Offsets of 16 bits are rounded, which moves points into other cells.
    public override bool Supports(ElementType type) => type.Size() > sizeof(ushort);

    public override ReferenceMap Expected() =>
        ReferenceModules.Deformable(options, Operands[0].Values, Operands[1].Values, Parameters);

    public override void Run<T>(Execution<T> run)
    {
        var module = (SapaDeformableUpsampler<T>)run.Prepared;
        run.Output(module.Forward(run[0], run[1], out var context));
        using (context)
        {
            var gradients = run.Keep(module.Backward(context, run.GradOutput));
            run.Gradient(0, gradients.Encoder);
            run.Gradient(1, gradients.Decoder);
            TakeParameters(run, gradients.Parameters);
        }
    }

    protected override UpsamplerModule<T> Create<T>(ComputeDevice device) =>
        new SapaDeformableUpsampler<T>(device, options);

    // Offsets of 0, of a normalisation over one value without a bias, stay where they are.
    private double Clearance() => ReferenceModules.Offsets(options, Operands[1].Values, Parameters).Values
        .Where(offset => offset.Value != 0).Select(offset => Math.Abs(offset.Value - Math.Round(offset.Value)))
        .DefaultIfEmpty(1).Min();
}

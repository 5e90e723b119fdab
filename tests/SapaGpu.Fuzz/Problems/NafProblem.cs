using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary><see cref="NafUpsampler{T}"/>, with images larger than it takes too.</summary>
internal sealed class NafProblem : ImageGuidedProblem
{
    private const string Periods = "image_encoder.rope.periods";

    private readonly NafOptions options;

    public NafProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        int heads = kernel.Of(1, 1, 2);
        options = new()
        {
            Channels = 4 * kernel.Of(1, 2, 2, 4),
            Heads = heads,
            RotaryHeads = 1,
            Window = kernel.Of(1, 2, 3, 3, 5, 9),
            Blocks = draw.Of(0, 1, 1, 2),
            NormGroups = draw.Of(1, 2),
            RotaryBase = draw.Of(100, 10.0),
            Epsilon = 1e-3,
        };
        if (options.Channels > 4 && draw.OnceIn(2))
            options = options with { RotaryHeads = 2 };
        int images = draw.Of(1, 1, 2);
        var (height, width) = (draw.Int(1, 4), draw.Int(1, 4));
        var (outputHeight, outputWidth) = (draw.Int(1, 7), draw.Int(1, 7));
        bool isLarge = draw.OnceIn(8);
        Add("image", new MapShape(images, 3, Pixels(outputHeight), Pixels(outputWidth)), Gradients.None);
        Add("features", new MapShape(images, heads * draw.Int(1, 4), height, width), Gradients.None);
        AddParameters(magnitude: 0.5);

        // Random ones could be 0.
        int own = Operands.FindIndex(operand => operand.Name == Periods);
        for (int m = 0; m < Operands[own].Values.Values.Length; m++)
            Operands[own].Values.Values[m] = (float)(1 + 9 * draw.Random.NextDouble());
        AddGradient(new MapShape(images, Operands[1].Shape.Channels, outputHeight, outputWidth));

        // More than four times the output is resized; the border is mirrored, which takes two pixels.
        int Pixels(int output) => isLarge ? 4 * output + draw.Int(0, 3) : draw.Int(2, 8);
    }

    public override string Name => $"{options}";

    protected override CrossAttentionOptions Attention => new()
    {
        Heads = options.Heads,
        ScoreScale = 1 / Math.Sqrt((double)options.Channels / options.Heads),
    };

    protected override bool IsBuffer(string name) => name == Periods;

    protected override (ReferenceMap Query, ReferenceMap Key) Encoded() =>
        ReferenceEncoders.Naf(options, Image, Features.Shape, GradOutput.Shape, Parameters);

    protected override (IReadOnlyList<int?[]> Rows, IReadOnlyList<int?[]> Columns) Taps()
    {
        return (Axis(Features.Shape.Height, GradOutput.Shape.Height), Axis(Features.Shape.Width, GradOutput.Shape.Width));

        IReadOnlyList<int?[]> Axis(int cells, int outputs) =>
            ReferenceCross.Window(cells, outputs, Math.Min(options.Window, cells), BorderRule.Shifted);
    }

    protected override UpsamplerModule<T> Create<T>(ComputeDevice device) => new NafUpsampler<T>(device, options);
}

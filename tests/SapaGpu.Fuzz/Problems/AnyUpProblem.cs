using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary><see cref="AnyUpUpsampler{T}"/> with any number of channels.</summary>
internal sealed class AnyUpProblem : ImageGuidedProblem
{
    private readonly AnyUpOptions options;

    public AnyUpProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        int groups = draw.Of(1, 2);
        options = new()
        {
            Channels = kernel.Of(4, 4, 8),
            Heads = kernel.Of(1, 2, 4),
            ImageKernel = kernel.Of(1, 1, 3),
            FeatureKernel = kernel.Of(1, 3, 5),
            FeatureKernels = groups * draw.Int(1, 3),
            WindowRatio = kernel.Of(0.1, 0.3, 0.6, 0),
            NormGroups = groups,
            Epsilon = 1e-3,
            RootMeanSquareEpsilon = 1e-3,
        };
        int images = draw.Of(1, 1, 2);
        int pixels = options.ImageKernel / 2 + 1;
        Add("image", new MapShape(images, 3, draw.Int(pixels, 5), draw.Int(pixels, 5)), Gradients.None);
        var features = new MapShape(images, draw.Of(1, 2, 3, 5), draw.Int(2, 4), draw.Int(2, 4));
        Add("features", features, Gradients.None);
        AddParameters(magnitude: 0.5);
        AddGradient(new MapShape(images, features.Channels, draw.Int(1, 5), draw.Int(1, 5)));
    }

    public override string Name => $"{options}";

    protected override CrossAttentionOptions Attention => new()
    {
        Heads = options.Heads,
        AveragesHeads = true,
        ScoreScale = 1 / Math.Sqrt((double)options.Channels / options.Heads),
    };

    protected override (ReferenceMap Query, ReferenceMap Key) Encoded() =>
        ReferenceEncoders.AnyUp(options, Image, Features, GradOutput.Shape, Parameters);

    protected override (IReadOnlyList<int?[]> Rows, IReadOnlyList<int?[]> Columns) Taps()
    {
        return (Axis(Features.Shape.Height, GradOutput.Shape.Height), Axis(Features.Shape.Width, GradOutput.Shape.Width));

        IReadOnlyList<int?[]> Axis(int cells, int outputs)
        {
            var rule = options.WindowRatio > 0 ? CrossRule.Ratio : CrossRule.Whole;
            return ReferenceAxis.Of(rule, cells, outputs, 1, (float)options.WindowRatio, Random.Shared).Taps;
        }
    }

    protected override UpsamplerModule<T> Create<T>(ComputeDevice device) => new AnyUpUpsampler<T>(device, options);
}

using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>Deformable attention or one of its halves.</summary>
internal sealed class DeformableProblem : OperatorProblem
{
    private readonly Part part;
    private readonly DeformableAttentionOptions options;

    public DeformableProblem(Draw draw, Draw kernel)
        : base(draw, kernel)
    {
        part = kernel.Enum<Part>();
        options = new() { Groups = kernel.Of(1, 2, 3, 4), Points = kernel.Of(1, 2, 4, 5, 9) };
        int samples = options.Groups * options.Points;
        var (images, height, width, outputHeight, outputWidth, embedding, value) = DrawSizes(draw, kernel, samples);
        var query = new MapShape(images, options.Groups * embedding, outputHeight, outputWidth);
        if (part != Part.Reassembly)
        {
            Add("query", query, Gradients.Query);
            Add("key", new MapShape(images, query.Channels, height, width), Gradients.Key);
        }
        else
        {
            Add("weights", ReferenceMaps.WithChannels(query, samples), Gradients.Weights);
        }
        var values = new MapShape(images, options.Groups * value, height, width);
        if (part != Part.Similarity)
            Add("value", values, Gradients.Value);

        // Gradients jump at whole coordinates: places are exact in every type, a 32nd from them or farther, or on them.
        bool isWhole = draw.OnceIn(8);
        Add(
            "offsets",
            ReferenceMaps.Build(
                ReferenceMaps.WithChannels(query, 2 * samples),
                (_, _, _, _) => isWhole ? draw.Int(-4, 4) : (2 * draw.Int(-48, 47) + 1) / 32.0),
            Gradients.Offsets);
        AddGradient(part == Part.Similarity
            ? ReferenceMaps.WithChannels(query, samples)
            : ReferenceMaps.WithChannels(query, values.Channels));
    }

    private enum Part
    {
        Attention,
        Similarity,
        Reassembly,
    }

    public override string Name => $"Deformable{part} G{options.Groups} P{options.Points}";

    public override bool KeepsNonFinite => false;

    public override ReferenceMap Expected()
    {
        var maps = Operands.ConvertAll(operand => operand.Values);
        return part switch
        {
            Part.Similarity => ReferencePoints.Scores(maps[0], maps[1], maps[2], options.Groups, options.Points),
            Part.Reassembly => ReferencePoints.Reassemble(maps[0], maps[1], maps[2], options.Groups, options.Points),
            _ => ReferencePoints.Attention(maps[0], maps[1], maps[2], maps[3], options.Groups, options.Points),
        };
    }

    // Between the passes of the backward, 16-bit maps hold weights and gradients of scores.
    public override double Roundings(ElementType type, bool backward) => type.Size() == sizeof(ushort) ? 4 : 1;

    public override void Run<T>(Execution<T> run)
    {
        switch (part)
        {
            case Part.Similarity:
                if (IsIntoOwn)
                    DeformableSimilarity.Forward(run[0], run[1], run[2], run.Own(GradOutput.Shape), options);
                else
                    run.Output(DeformableSimilarity.Forward(run[0], run[1], run[2], options));
                var ofScores = run.Keep(
                    DeformableSimilarity.Backward(run[0], run[1], run[2], run.GradOutput, options, Wanted));
                Gradients(ofScores.Query, ofScores.Key, ofScores.Offsets);
                break;
            case Part.Reassembly:
                if (IsIntoOwn)
                    DeformableReassembly.Forward(run[0], run[1], run[2], run.Own(GradOutput.Shape), options);
                else
                    run.Output(DeformableReassembly.Forward(run[0], run[1], run[2], options));
                var ofWeights = run.Keep(
                    DeformableReassembly.Backward(run[0], run[1], run[2], run.GradOutput, options, Wanted));
                Gradients(ofWeights.Weights, ofWeights.Value, ofWeights.Offsets);
                break;
            default:
                RunAttention(run);
                break;
        }

        void Gradients(params ReadOnlySpan<FeatureMap?> gradients)
        {
            for (int i = 0; i < gradients.Length; i++)
                run.Gradient(i, gradients[i]);
        }
    }

    private void RunAttention<T>(Execution<T> run)
        where T : unmanaged
    {
        if (IsIntoOwn)
        {
            DeformableAttention.Forward(run[0], run[1], run[2], run[3], run.Own(GradOutput.Shape), options);
            DeformableAttention.Backward(
                run[0], run[1], run[2], run[3], run.GradOutput, run.OwnGradient(0), run.OwnGradient(1), run.OwnGradient(2), run.OwnGradient(3), options);
            return;
        }
        run.Output(DeformableAttention.Forward(run[0], run[1], run[2], run[3], options));
        var all = run.Keep(
            DeformableAttention.Backward(run[0], run[1], run[2], run[3], run.GradOutput, options, Wanted));
        run.Gradient(0, all.Query);
        run.Gradient(1, all.Key);
        run.Gradient(2, all.Value);
        run.Gradient(3, all.Offsets);
    }

    private static (int, int, int, int, int, int, int) DrawSizes(Draw draw, Draw kernel, int samples)
    {
        long work = Sizes.Work(draw) / 8;
        for (int attempt = 0; ; attempt++)
        {
            int images = draw.Of(1, 1, 2);
            var (height, width, outputHeight, outputWidth) = Sizes.Resized(draw, kernel, OperatorSupport.MaximumScale);
            var (embedding, value) = (draw.Of(1, 2, 3, 4, 8, 16), draw.Of(1, 2, 3, 4, 8, 16, 17, 32));
            if (attempt > 20)
                (images, outputHeight, outputWidth, embedding, value) = (1, Math.Min(outputHeight, 3), Math.Min(outputWidth, 3), 1, 2);
            if (attempt > 40 || (long)images * outputHeight * outputWidth * samples * (embedding + value) <= work)
                return (images, height, width, outputHeight, outputWidth, embedding, value);
        }
    }
}

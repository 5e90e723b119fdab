using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>A module that upsamples features with an image; image and features are its inputs.</summary>
internal abstract class ImageGuidedProblem(Draw draw, Draw kernel) : ModuleProblem(draw, kernel)
{
    protected abstract CrossAttentionOptions Attention { get; }

    protected ReferenceMap Image => Operands[0].Values;

    protected ReferenceMap Features => Operands[1].Values;

    public override ReferenceMap Expected()
    {
        var (query, key) = Encoded();
        var (rows, columns) = Taps();
        return ReferenceCross.Attention(query, key, Features, null, rows, columns, Attention);
    }

    public override void Run<T>(Execution<T> run)
    {
        var module = (ImageGuidedUpsampler<T>)run.Prepared;
        var output = GradOutput.Shape;
        if (IsIntoOwn)
            module.Forward(run[0], run[1], run.Own(output));
        var allocated = module.Forward(run[0], run[1], output.Height, output.Width, out var context);
        if (IsIntoOwn)
            allocated.Dispose();
        else
            run.Output(allocated);
        using (context)
        {
            var gradients = run.Keep(module.Backward(context, run.GradOutput));
            run.Gradient(0, gradients.Image);
            run.Gradient(1, gradients.Features);
            TakeParameters(run, [.. gradients.Parameters.Where(gradient => !IsBuffer(gradient.Name))]);
        }
    }

    /// <summary>Whether a parameter is a buffer, whose gradient is 0 whatever the formula's is.</summary>
    protected virtual bool IsBuffer(string name) => false;

    /// <summary>The queries and keys of the reference.</summary>
    protected abstract (ReferenceMap Query, ReferenceMap Key) Encoded();

    /// <summary>What the rows and the columns of the output see.</summary>
    protected abstract (IReadOnlyList<int?[]> Rows, IReadOnlyList<int?[]> Columns) Taps();
}

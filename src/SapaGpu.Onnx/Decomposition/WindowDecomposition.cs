using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>
/// The steps of window attention with one head in standard operators, for maps of any size. Scores and weights have a form of
/// their own, with the taps on one axis.
/// </summary>
internal abstract class WindowDecomposition(OnnxNodes nodes, WindowTaps taps)
{
    /// <summary>Gets the axis of scores and weights that numbers the taps.</summary>
    protected abstract int TapAxis { get; }

    protected OnnxNodes Nodes => nodes;

    protected WindowTaps Taps => taps;

    protected int TapCount => taps.Window * taps.Window;

    /// <summary>Returns the scores of every point of the query, [N, D, OH, OW], with the keys, [N, D, H, W].</summary>
    public abstract string Scores(string query, string key);

    /// <summary>Returns weights, [N, K², OH, OW], in the form of scores.</summary>
    public abstract string Weights(string weights);

    /// <summary>Returns the weighted sums of the value, [N, C, H, W], as [N, C, OH, OW].</summary>
    public abstract string Reassemble(string weights, string value);

    /// <summary>Returns the weights of scores.</summary>
    public string Normalise(string scores, ScoreNormalisation normalisation)
    {
        // Without a normalisation a score is a weight, and a tap outside adds nothing, because its value is 0.
        if (normalisation == ScoreNormalisation.None)
            return scores;
        if (taps.HasMask)
            scores = nodes.Add("Where", Inside(), scores, nodes.Number(float.NegativeInfinity));
        // σ(s)/Σσ(s) is the softmax of log σ(s) = −softplus(−s), where no sum can be 0.
        if (normalisation == ScoreNormalisation.Sigmoid)
            scores = nodes.Add("Neg", nodes.Add("Softplus", nodes.Add("Neg", scores)));
        return nodes.Add("Softmax", [scores], OnnxAttribute.Of("axis", (long)TapAxis));
    }

    /// <summary>Returns which taps lie inside the map, to be broadcast to the scores.</summary>
    protected abstract string Inside();

    protected string AllOffsets() => nodes.Vector([.. Enumerable.Range(0, taps.Window).Select(tap => (long)tap)]);
}

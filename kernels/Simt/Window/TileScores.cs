using ILGPU;

namespace SapaGpu.Kernels.Simt;

/// <summary>The scores of one query in shared memory; taps that are left out have the score −∞.</summary>
internal readonly struct TileScores<TReal> : IScoreGradientRow<TReal>
    where TReal : unmanaged
{
    private readonly ArrayView<TReal> scores;
    private readonly ArrayView<TReal> gradients;
    private readonly int first;
    private readonly int stride;

    /// <summary>Creates the row of a query.</summary>
    /// <param name="scores">The scores of a tile.</param>
    /// <param name="gradients">The gradients of the weights, in the same order; unused by the forward.</param>
    /// <param name="first">The index of the first tap.</param>
    /// <param name="stride">From a tap to the next.</param>
    public TileScores(ArrayView<TReal> scores, ArrayView<TReal> gradients, int first, int stride)
    {
        this.scores = scores;
        this.gradients = gradients;
        this.first = first;
        this.stride = stride;
    }

    public static bool KeepsWeights => true;

    public bool LeavesOut(int tap) => false;

    public TReal Read(int tap) => scores[tap * stride + first];

    public void Write(int tap, TReal weight) => scores[tap * stride + first] = weight;

    public TReal ReadGradient(int tap) => gradients[tap * stride + first];

    public void WriteGradient(int tap, TReal gradient) => gradients[tap * stride + first] = gradient;
}

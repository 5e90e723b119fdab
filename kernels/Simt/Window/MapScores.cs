using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The scores of one head of one query in a map [B, heads·taps, OH, OW]. Nothing is kept between the passes, since maps
/// may round to 16 bits.
/// </summary>
internal readonly struct MapScores<TElement, TStorage, TReal, TBorder> : IScoreGradientRow<TReal>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TBorder : struct, IBorder
{
    private readonly WindowWeightsParameters<TStorage, TStorage> parameters;
    private readonly MapPosition at;
    private readonly long source;
    private readonly long gradient;
    private readonly long result;
    private readonly TReal gradientFactor;

    /// <summary>Creates the row of a query and a head.</summary>
    public MapScores(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        int channel = at.Channel * parameters.Taps;
        this.parameters = parameters;
        this.at = at;
        source = parameters.Source.Offset(at.Image, channel, at.Row, at.Column);
        gradient = parameters.Gradient.Offset(at.Image, parameters.Averaged != 0 ? 0 : channel, at.Row, at.Column);
        result = parameters.Result.Offset(at.Image, channel, at.Row, at.Column);
        gradientFactor = parameters.Averaged != 0 ? TReal.One / TElement.FromCount(parameters.Heads) : TReal.One;
    }

    public static bool KeepsWeights => false;

    public bool LeavesOut(int tap) => TBorder.LeavesOut && parameters.IsOutside(in at, tap);

    public TReal Read(int tap) => TElement.Load(parameters.Source.Data[source + tap * parameters.Source.ChannelStride]);

    // Taps that are left out have 0 as well where a score that is not finite makes the factor of all weights NaN.
    public void Write(int tap, TReal weight) =>
        parameters.Result.Data[result + tap * parameters.Result.ChannelStride] =
            TElement.Store(LeavesOut(tap) ? TReal.Zero : weight);

    public TReal ReadGradient(int tap) =>
        TElement.Load(parameters.Gradient.Data[gradient + tap * parameters.Gradient.ChannelStride]);

    public void WriteGradient(int tap, TReal gradient) => Write(tap, gradient * gradientFactor);
}

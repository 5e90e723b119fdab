using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of the scores, p'/S·(dw − Σ w·dw); a thread takes one head of one query.</summary>
internal readonly struct WindowWeightsBackward<TElement, TStorage, TReal, TBorder, TNormalisation>
    : IMapProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TBorder : struct, IBorder
    where TNormalisation : struct, IScoreNormalisation
{
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TStorage> parameters) => parameters.PerHead();

    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        60.0 * parameters.Taps;

    public static void Apply(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        long source = WindowWeightsForward<TElement, TStorage, TReal, TBorder, TNormalisation>.First(
            in parameters, in at);
        var shift = WindowWeightsForward<TElement, TStorage, TReal, TBorder, TNormalisation>.Shift(
            in parameters, in at, source);
        int channel = at.Channel * parameters.Taps;
        long gradient = parameters.Gradient.Offset(
            at.Image, parameters.Averaged != 0 ? 0 : channel, at.Row, at.Column);
        var headFactor = TReal.One;
        if (parameters.Averaged != 0)
            headFactor /= TElement.FromCount(parameters.Heads);
        var factor = TReal.One;
        var mean = TReal.Zero;
        if (TNormalisation.Divides)
        {
            var sum = TReal.Zero;
            for (int tap = 0; tap < parameters.Taps; tap++)
            {
                var unnormalised =
                    WindowWeightsForward<TElement, TStorage, TReal, TBorder, TNormalisation>.Unnormalised(
                    in parameters, in at, source, shift, tap);
                sum += unnormalised;
                mean += unnormalised * TElement.Load(
                    parameters.Gradient.Data[gradient + tap * parameters.Gradient.ChannelStride]);
            }
            factor /= sum;
            mean *= factor;
        }
        long result = parameters.Result.Offset(at.Image, channel, at.Row, at.Column);
        for (int tap = 0; tap < parameters.Taps; tap++)
        {
            var value = TReal.Zero;
            if (!(TBorder.LeavesOut && parameters.IsOutside(in at, tap)))
            {
                var unnormalised =
                    WindowWeightsForward<TElement, TStorage, TReal, TBorder, TNormalisation>.Unnormalised(
                    in parameters, in at, source, shift, tap);
                var own = TElement.Load(parameters.Gradient.Data[gradient + tap * parameters.Gradient.ChannelStride]);
                value = TNormalisation.Slope(unnormalised) * factor * headFactor * (own - mean);
            }
            parameters.Result.Data[result] = TElement.Store(value);
            result += parameters.Result.ChannelStride;
        }
    }
}

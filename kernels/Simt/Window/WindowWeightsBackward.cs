using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of the scores, p'/S·(dw − Σ w·dw); a thread takes one head of one query.</summary>
public readonly struct WindowWeightsBackward<TElement, TStorage, TAccumulator, TNormalisation>
    : IMapProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TNormalisation : struct, INormalisation
{
    /// <inheritdoc/>
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TStorage> parameters) => parameters.PerHead();

    /// <inheritdoc/>
    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        60.0 * parameters.Taps;

    /// <inheritdoc/>
    public static void Apply(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        long source = WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>.First(in parameters, in at);
        var shift = WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>.Shift(
            in parameters, in at, source);
        int channel = at.Channel * parameters.Taps;
        long gradient = parameters.Gradient.Offset(
            at.Image, parameters.Averaged != 0 ? 0 : channel, at.Row, at.Column);
        var share = TAccumulator.One;
        if (parameters.Averaged != 0)
            share /= TElement.FromCount(parameters.Heads);
        var factor = TAccumulator.One;
        var mean = TAccumulator.Zero;
        if (TNormalisation.Divides)
        {
            var sum = TAccumulator.Zero;
            for (int tap = 0; tap < parameters.Taps; tap++)
            {
                var power = WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>.Power(
                    in parameters, in at, source, shift, tap);
                sum += power;
                mean += power * TElement.Load(
                    parameters.Gradient.Data[gradient + tap * parameters.Gradient.ChannelStride]);
            }
            factor /= sum;
            mean *= factor;
        }
        long result = parameters.Result.Offset(at.Image, channel, at.Row, at.Column);
        for (int tap = 0; tap < parameters.Taps; tap++)
        {
            var value = TAccumulator.Zero;
            if (!parameters.LeavesOut(in at, tap))
            {
                var power = WindowWeightsForward<TElement, TStorage, TAccumulator, TNormalisation>.Power(
                    in parameters, in at, source, shift, tap);
                var own = TElement.Load(parameters.Gradient.Data[gradient + tap * parameters.Gradient.ChannelStride]);
                value = TNormalisation.Slope(power) * factor * share * (own - mean);
            }
            parameters.Result.Data[result] = TElement.Store(value);
            result += parameters.Result.ChannelStride;
        }
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The weights of every head, [B, heads·taps, OH, OW]; a thread takes one head of one query.</summary>
internal readonly struct WindowWeightsForward<TElement, TStorage, TReal, TBorder, TNormalisation>
    : IMapProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TBorder : struct, IBorder
    where TNormalisation : struct, IScoreNormalisation
{
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TStorage> parameters) => parameters.PerHead();

    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        40.0 * parameters.Taps;

    public static void Apply(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at)
    {
        long source = First(in parameters, in at);
        var shift = Shift(in parameters, in at, source);
        var factor = TReal.One;
        if (TNormalisation.Divides)
            factor /= Sum(in parameters, in at, source, shift);
        long result = parameters.Result.Offset(at.Image, at.Channel * parameters.Taps, at.Row, at.Column);
        for (int tap = 0; tap < parameters.Taps; tap++)
        {
            var weight = factor * Unnormalised(in parameters, in at, source, shift, tap);
            parameters.Result.Data[result] = TElement.Store(weight);
            result += parameters.Result.ChannelStride;
        }
    }

    internal static long First(in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at) =>
        parameters.Source.Offset(at.Image, at.Channel * parameters.Taps, at.Row, at.Column);

    internal static TReal Shift(
        in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at, long source)
    {
        if (!TNormalisation.SubtractsMaximum)
            return TReal.Zero;
        var shift = TReal.NegativeInfinity;
        for (int tap = 0; tap < parameters.Taps; tap++)
        {
            var score = TElement.Load(parameters.Source.Data[source + tap * parameters.Source.ChannelStride]);
            if (!(score <= shift) && !(TBorder.LeavesOut && parameters.IsOutside(in at, tap)))
                shift = score;
        }
        return shift;
    }

    internal static TReal Sum(
        in WindowWeightsParameters<TStorage, TStorage> parameters, in MapPosition at, long source, TReal shift)
    {
        var sum = TReal.Zero;
        for (int tap = 0; tap < parameters.Taps; tap++)
            sum += Unnormalised(in parameters, in at, source, shift, tap);
        return sum;
    }

    internal static TReal Unnormalised(
        in WindowWeightsParameters<TStorage, TStorage> parameters,
        in MapPosition at,
        long source,
        TReal shift,
        int tap)
    {
        if (TBorder.LeavesOut && parameters.IsOutside(in at, tap))
            return TReal.Zero;
        var score = TElement.Load(parameters.Source.Data[source + tap * parameters.Source.ChannelStride]);
        return TNormalisation.Unnormalised<TElement, TStorage, TReal>(score - shift);
    }
}

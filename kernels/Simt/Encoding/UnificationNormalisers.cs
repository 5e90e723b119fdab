using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The logarithm of the sum of exponentials over o' of every c'.</summary>
internal readonly struct UnificationNormalisers<TElement, TStorage, TReal>
    : IMapProgram<UnificationParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in UnificationParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Normalisers, 1, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in UnificationParameters<TStorage, TReal> parameters) => 40.0 * parameters.Kernels;

    public static void Apply(in UnificationParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var largest = Response(in parameters, 0, in at);
        for (int kernel = 1; kernel < parameters.Kernels; kernel++)
        {
            var response = Response(in parameters, kernel, in at);
            largest = response > largest ? response : largest;
        }
        var sum = TReal.Zero;
        for (int kernel = 0; kernel < parameters.Kernels; kernel++)
            sum += TElement.Exp(Response(in parameters, kernel, in at) - largest);
        parameters.Normalisers.Data[at.In(in parameters.Normalisers)] = largest + TElement.Log(sum);
    }

    /// <summary>The response of a kernel o' in the softmax of the channel c' of a place.</summary>
    internal static TReal Response(in UnificationParameters<TStorage, TReal> parameters, int kernel, in MapPosition at)
    {
        // 64-bit: channels times kernels may be more than an int holds.
        long number = (long)kernel * parameters.Channels + at.Channel;
        int channel = (int)(number / parameters.Kernels);
        int own = (int)(number - (long)channel * parameters.Kernels);
        return TElement.Load(parameters.Responses.Data[parameters.Responses.Offset(channel, own, at.Row, at.Column)]);
    }

    /// <summary>The softmax of a kernel o' for the channel c' of a place.</summary>
    internal static TReal Weight(in UnificationParameters<TStorage, TReal> parameters, int kernel, in MapPosition at) => TElement.Exp(
        Response(in parameters, kernel, in at) - parameters.Normalisers.Data[at.In(in parameters.Normalisers)]);
}

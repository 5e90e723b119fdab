using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The mean over c' of the softmax of a kernel.</summary>
internal readonly struct UnificationForward<TElement, TStorage, TReal>
    : IMapProgram<UnificationParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in UnificationParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result, 1, parameters.Kernels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in UnificationParameters<TStorage, TReal> parameters) => 24.0 * parameters.Channels;

    public static void Apply(in UnificationParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var sum = TReal.Zero;
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            var place = at;
            place.Channel = channel;
            sum += UnificationNormalisers<TElement, TStorage, TReal>.Weight(in parameters, at.Channel, in place);
        }
        parameters.Result.Data[at.In(in parameters.Result)] =
            TElement.Store(sum / TElement.FromCount(parameters.Channels));
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>A copy with a border that mirrors the map without repeating its edge: −1 is 1, n is n − 2.</summary>
internal readonly struct MirrorPaddingForward<TElement, TStorage, TReal>
    : IMapProgram<PaddingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PaddingParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Batch,
        parameters.Channels,
        parameters.Height + 2 * parameters.Border,
        parameters.Width + 2 * parameters.Border);

    public static double OperationsPerValue(in PaddingParameters<TStorage> parameters) => 4;

    public static void Apply(in PaddingParameters<TStorage> parameters, in MapPosition at)
    {
        long source = parameters.Source.Offset(
            at.Image,
            at.Channel,
            MirrorAxis.Of(at.Row - parameters.Border, parameters.Height),
            MirrorAxis.Of(at.Column - parameters.Border, parameters.Width));
        parameters.Result.Data[at.In(in parameters.Result)] = parameters.Source.Data[source];
    }
}

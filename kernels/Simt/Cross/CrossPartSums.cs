using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Adds up the sums that parts of the queries contribute to a gradient of cells, in their order.</summary>
internal readonly struct CrossPartSums<TElement, TStorage, TReal> : IMapProgram<CrossPartParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in CrossPartParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in CrossPartParameters<TStorage, TReal> parameters) => parameters.Splits;

    public static void Apply(in CrossPartParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var sum = TReal.Zero;
        for (int split = 0; split < parameters.Splits; split++)
        {
            sum += parameters.Partial.Data[parameters.Partial.Offset(
                split * parameters.Batch + at.Image, at.Channel, at.Row, at.Column)];
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum);
    }
}

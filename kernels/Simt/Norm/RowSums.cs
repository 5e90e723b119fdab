using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The sum of every row of every channel.</summary>
internal readonly struct RowSums<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Input, parameters.Extent.Batch, parameters.Extent.InputChannels, parameters.Extent.Height, 1);

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) =>
        2.0 * parameters.Extent.Width;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        long offset = at.In(in parameters.Input);
        var sum = TReal.Zero;
        for (int column = 0; column < parameters.Extent.Width; column++)
        {
            sum += TElement.Load(parameters.Input.Data[offset]);
            offset += parameters.Input.ColumnStride;
        }
        parameters.RowSums.Data[at.In(in parameters.RowSums)] = sum;
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The sum of the squares of every row of every channel, after the mean of its group was subtracted.</summary>
internal readonly struct RowSquares<TElement, TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) =>
        RowSums<TElement, TStorage, TReal>.Extent(in parameters);

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.Extent.Width;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int group = at.Channel / parameters.ChannelsPerGroup;
        var mean = parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 2 * group, 0, 0)];
        long offset = at.In(in parameters.Input);
        var sum = TReal.Zero;
        for (int column = 0; column < parameters.Extent.Width; column++)
        {
            var centred = TElement.Load(parameters.Input.Data[offset]) - mean;
            sum += centred * centred;
            offset += parameters.Input.ColumnStride;
        }
        parameters.RowSums.Data[at.In(in parameters.RowSums)] = sum;
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradients of factor and offset from the sums of the rows.</summary>
internal readonly struct FeatureNormParameterGradients<TStorage, TReal>
    : IMapProgram<FeatureNormParameters<TStorage, TReal>>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TReal> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Extent.InputChannels,
        Height = 1,
        Width = 1,
    };

    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TReal> parameters) =>
        2.0 * parameters.Extent.Batch * parameters.Extent.Height;

    public static void Apply(in FeatureNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var sum = TReal.Zero;
        var product = TReal.Zero;
        for (int image = 0; image < parameters.Extent.Batch; image++)
        {
            for (int row = 0; row < parameters.Extent.Height; row++)
            {
                long offset = parameters.RowSums.Offset(image, 2 * at.Channel, row, 0);
                sum += parameters.RowSums.Data[offset];
                product += parameters.RowSums.Data[offset + parameters.RowSums.ChannelStride];
            }
        }
        parameters.GradBias[at.Channel] = sum;
        parameters.GradWeight[at.Channel] = product;
    }
}

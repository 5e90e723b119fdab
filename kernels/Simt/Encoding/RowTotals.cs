using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>The totals of sums over rows.</summary>
internal readonly struct RowTotals<TReal> : IMapProgram<RowTotalParameters<TReal>>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in RowTotalParameters<TReal> parameters) =>
        new() { Batch = 1, Channels = parameters.Channels, Height = 1, Width = 1 };

    public static double OperationsPerValue(in RowTotalParameters<TReal> parameters) =>
        (double)parameters.Batch * parameters.Height;

    public static void Apply(in RowTotalParameters<TReal> parameters, in MapPosition at)
    {
        var total = TReal.Zero;
        for (int image = 0; image < parameters.Batch; image++)
        {
            for (int row = 0; row < parameters.Height; row++)
                total += parameters.Sums.Data[parameters.Sums.Offset(image, at.Channel, row, 0)];
        }
        int outer = at.Channel / parameters.ResultChannels;
        parameters.Result.Data[parameters.Result.Offset(outer, at.Channel - outer * parameters.ResultChannels, 0, 0)] = total;
    }
}

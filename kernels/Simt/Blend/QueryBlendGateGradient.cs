using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gradient of the gate before its sigmoid, g·(1 − g)·Σ gradient·(encoder − decoder) over channels and queries of
/// the cell, [B, 1, H, W].
/// </summary>
internal readonly struct QueryBlendGateGradient<TElement, TStorage, TReal>
    : IMapProgram<QueryBlendParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in QueryBlendParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, 1, parameters.Rows.Cells, parameters.Columns.Cells);

    public static double OperationsPerValue(in QueryBlendParameters<TStorage> parameters) =>
        4.0 * parameters.Channels * parameters.Rows.MaximumCount * parameters.Columns.MaximumCount;

    public static void Apply(in QueryBlendParameters<TStorage> parameters, in MapPosition at)
    {
        var sum = TReal.Zero;
        int firstRow = parameters.Rows.First(at.Row);
        int endRow = parameters.Rows.First(at.Row + 1);
        int firstColumn = parameters.Columns.First(at.Column);
        int endColumn = parameters.Columns.First(at.Column + 1);
        long decoder = parameters.Decoder.Offset(at.Image, 0, at.Row, at.Column);
        for (int row = firstRow; row < endRow; row++)
        {
            for (int column = firstColumn; column < endColumn; column++)
            {
                long encoder = parameters.Encoder.Offset(at.Image, 0, row, column);
                long gradient = parameters.GradQuery.Offset(at.Image, 0, row, column);
                for (int channel = 0; channel < parameters.Channels; channel++)
                {
                    var difference =
                        TElement.Load(parameters.Encoder.Data[encoder + channel * parameters.Encoder.ChannelStride])
                        - TElement.Load(parameters.Decoder.Data[decoder + channel * parameters.Decoder.ChannelStride]);
                    sum += difference * TElement.Load(
                        parameters.GradQuery.Data[gradient + channel * parameters.GradQuery.ChannelStride]);
                }
            }
        }

        // The gate of a cell without queries plays no part, not even as NaN.
        if (firstRow < endRow && firstColumn < endColumn)
        {
            var gate = QueryBlend.Gate<TElement, TStorage, TReal>(in parameters, at.Image, at.Row, at.Column);
            sum *= gate * (TReal.One - gate);
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum);
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gradient of the decoder's part, (1 − g)·Σ gradient over the queries of the cell, [B, D, H, W].
/// </summary>
internal readonly struct QueryBlendDecoderGradient<TElement, TStorage, TReal>
    : IMapProgram<QueryBlendParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in QueryBlendParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Rows.Cells, parameters.Columns.Cells);

    public static double OperationsPerValue(in QueryBlendParameters<TStorage> parameters) =>
        32.0 + 2.0 * parameters.Rows.MaximumCount * parameters.Columns.MaximumCount;

    public static void Apply(in QueryBlendParameters<TStorage> parameters, in MapPosition at)
    {
        var sum = TReal.Zero;
        int firstRow = parameters.Rows.First(at.Row);
        int endRow = parameters.Rows.First(at.Row + 1);
        int firstColumn = parameters.Columns.First(at.Column);
        int endColumn = parameters.Columns.First(at.Column + 1);
        for (int row = firstRow; row < endRow; row++)
        {
            for (int column = firstColumn; column < endColumn; column++)
            {
                sum += TElement.Load(
                    parameters.GradQuery.Data[parameters.GradQuery.Offset(at.Image, at.Channel, row, column)]);
            }
        }

        // The gate of a cell without queries plays no part, not even as NaN.
        if (parameters.HasGate != 0 && firstRow < endRow && firstColumn < endColumn)
        {
            var gate = QueryBlend.Gate<TElement, TStorage, TReal>(in parameters, at.Image, at.Row, at.Column);
            sum *= TReal.One - gate;
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum);
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Adds the weights of taps outside the map to those of the cells that they stand for, in the order of the taps; the
/// others keep theirs, and taps outside have none left.
/// </summary>
internal readonly struct WeightFold<TElement, TStorage, TReal>
    : IMapProgram<WindowWeightsParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in WindowWeightsParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Extent.Batch,
        parameters.Taps,
        parameters.Extent.Rows.Queries,
        parameters.Extent.Columns.Queries);

    public static double OperationsPerValue(in WindowWeightsParameters<TStorage, TReal> parameters) => 16;

    public static void Apply(in WindowWeightsParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int window = parameters.Extent.Window;
        int tapRow = at.Channel / window;
        int tapColumn = at.Channel % window;
        int row = parameters.Extent.Rows.CellOf(at.Row) + tapRow - parameters.Extent.Radius;
        int column = parameters.Extent.Columns.CellOf(at.Column) + tapColumn - parameters.Extent.Radius;
        var sum = TReal.Zero;
        if (row >= 0 && row < parameters.Extent.Height && column >= 0 && column < parameters.Extent.Width)
        {
            int firstRow = row == 0 ? 0 : tapRow;
            int lastRow = row == parameters.Extent.Height - 1 ? window - 1 : tapRow;
            int firstColumn = column == 0 ? 0 : tapColumn;
            int lastColumn = column == parameters.Extent.Width - 1 ? window - 1 : tapColumn;
            for (int i = firstRow; i <= lastRow; i++)
            {
                for (int j = firstColumn; j <= lastColumn; j++)
                {
                    long source = parameters.Source.Offset(at.Image, i * window + j, at.Row, at.Column);
                    sum += TElement.Load(parameters.Source.Data[source]);
                }
            }
        }
        parameters.Result.Data[at.In(in parameters.Result)] = sum;
    }
}

using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gradient of the bias: the sums of the gradients of the scores over heads and over the queries that see a cell. Four
/// threads a cell, each with every fourth query.
/// </summary>
internal readonly struct CrossBias<TElement, TStorage, TReal, TAccess, TNormalisation, TCoefficient>
    : IKernel<CrossAttentionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
    where TNormalisation : struct, IScoreNormalisation
    where TCoefficient : struct, ICrossCoefficient
{
    public static int GroupSize => CrossRun.GroupSize;

    public static long GroupCount(in CrossAttentionParameters<TStorage, TReal> parameters) => CrossRun.RunCount(
        parameters.Extent.Batch, 1, parameters.Extent.Height, parameters.Extent.Width);

    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var sums = SharedMemory.Allocate<TReal>(GroupSize);
        var run = CrossRun.Locate(1, parameters.Extent.Height, parameters.Extent.Width);
        var pair = new CrossPair { Image = run.Image, CellRow = run.Row, CellColumn = run.OwnColumn };
        int firstRow = parameters.RowQueries[2L * run.Row];
        int firstColumn = parameters.ColumnQueries[2L * run.OwnColumn];
        int width = parameters.ColumnQueries[2L * run.OwnColumn + 1] - firstColumn;
        int queries = (parameters.RowQueries[2L * run.Row + 1] - firstRow) * width;
        var sum = TReal.Zero;
        for (int query = CrossRun.Share; query < queries; query += CrossRun.Parts)
        {
            int row = query / width;
            pair.Row = firstRow + row;
            pair.Column = firstColumn + query - row * width;
            var rows = AxisRange.Read(parameters.Rows, pair.Row);
            var columns = AxisRange.Read(parameters.Columns, pair.Column);
            pair.FindCount(in rows, in columns, parameters.Extent.OutsideIsZero == 0);
            for (int head = 0; head < parameters.Extent.Heads; head++)
            {
                sum += CrossParts.Factors<TElement, TStorage, TReal, TAccess, TNormalisation, TCoefficient>(
                    in parameters, in pair, head).First;
            }
        }
        sums[Group.IdxX] = sum;
        Group.Barrier();
        if (CrossRun.Share != 0 | CrossRun.Lane >= run.Count)
            return;
        for (int other = CrossRun.Length; other < GroupSize; other += CrossRun.Length)
            sum += sums[CrossRun.Lane + other];
        parameters.BiasResult.Data[parameters.BiasResult.Offset(run.Image, 0, run.Row, run.OwnColumn)] =
            TElement.Store(sum);
    }
}

using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Sums over the queries that see a cell: gradients of key or value. A group takes a run of 16 cells: its threads compute the
/// factors of up to 128 queries into shared memory, then each sums four channels of four cells. The order of the sums is that of
/// the queries.
/// </summary>
internal readonly struct CrossCells<TElement, TStorage, TReal, TAccess, TNormalisation, TCoefficient>
    : IKernel<CrossAttentionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
    where TNormalisation : struct, IScoreNormalisation
    where TCoefficient : struct, ICrossCoefficient
{
    public static int GroupSize => CrossRun.GroupSize;

    private static int Matrices => TCoefficient.HasSecondOfQueries ? 2 : 1;

    public static long GroupCount(in CrossAttentionParameters<TStorage, TReal> parameters) => CrossRun.RunCount(
        parameters.Extent.Batch,
        CrossParts.Count<TCoefficient>(in parameters.Extent),
        parameters.Extent.Height,
        parameters.Extent.Width);

    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var factors = SharedMemory.Allocate<Pack4<TReal>>(Matrices * CrossRun.Pairs / 4).AsAligned(16);
        var run = CrossRun.Locate(
            CrossParts.Count<TCoefficient>(in parameters.Extent), parameters.Extent.Height, parameters.Extent.Width);
        int firstRow = parameters.RowQueries[2L * run.Row];
        int firstColumn = parameters.ColumnQueries[2L * run.Column];
        int width = parameters.ColumnQueries[2L * (run.Column + run.Count - 1) + 1] - firstColumn;
        int queries = (parameters.RowQueries[2L * run.Row + 1] - firstRow) * width;
        int channels = CrossParts.Channels<TCoefficient>(in parameters.Extent);
        var factor = TCoefficient.IsOfValue ? TReal.One : parameters.Scale;
        for (int first = 0; first < channels; first += GroupSize)
        {
            int channel = first + 4 * CrossRun.Lane;
            var sums = default(CrossSums<TReal>);
            for (int firstQuery = 0; firstQuery < queries; firstQuery += CrossRun.Partners)
            {
                int count = queries - firstQuery < CrossRun.Partners ? queries - firstQuery : CrossRun.Partners;
                Group.Barrier();
                if (first == 0 | queries > CrossRun.Partners)
                    Fill(in parameters, in run, firstRow, firstColumn, width, firstQuery, count, factors.Cast<TReal>());
                Group.Barrier();
                if (channel < channels)
                {
                    var at = new CrossPlace(firstRow, firstColumn, width, firstQuery);
                    int from = run.Part * channels + channel;
                    if (TCoefficient.IsOfValue)
                    {
                        sums.Add<TElement, TStorage, TAccess>(
    in parameters.GradOutput, in at, run.Image, from, count, channels - channel, factors);
                    }
                    else
                    {
                        sums.Add<TElement, TStorage, TAccess>(
    in parameters.Query, in at, run.Image, from, count, channels - channel, factors);
                        if (TCoefficient.HasSecondOfQueries)
                        {
                            sums.Add<TElement, TStorage, TAccess>(
                                in parameters.QueryDirection,
                                in at,
                                run.Image,
                                from,
                                count,
                                channels - channel,
                                factors.SubView(CrossRun.Pairs / 4, CrossRun.Pairs / 4));
                        }
                    }
                }
            }
            int target = run.Part * channels + channel;
            if (TCoefficient.IsOfValue)
            {
                sums.Store<TElement, TStorage, TAccess>(
                    in parameters.ValueResult, in run, 4 * CrossRun.Share, target, channels - channel, factor);
            }
            else
            {
                sums.Store<TElement, TStorage, TAccess>(
                    in parameters.KeyResult, in run, 4 * CrossRun.Share, target, channels - channel, factor);
            }
        }
    }

    // The factors of some queries and all cells, [query][cell].
    private static void Fill(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossRun run,
        int firstRow,
        int firstColumn,
        int width,
        int firstQuery,
        int count,
        ArrayView<TReal> factors)
    {
        var pair = new CrossPair { Image = run.Image, CellRow = run.Row, CellColumn = run.OwnColumn };
        for (int query = CrossRun.Share; query < count; query += CrossRun.Parts)
        {
            int row = (firstQuery + query) / width;
            pair.Row = firstRow + row;
            pair.Column = firstColumn + firstQuery + query - row * width;
            var rows = AxisRange.Read(parameters.Rows, pair.Row);
            var columns = AxisRange.Read(parameters.Columns, pair.Column);
            pair.FindCount(in rows, in columns, parameters.Extent.OutsideIsZero == 0);
            var both = CrossParts.Factors<TElement, TStorage, TReal, TAccess, TNormalisation, TCoefficient>(
                in parameters, in pair, run.Part);
            factors[query * CrossRun.Length + CrossRun.Lane] = both.First;
            if (TCoefficient.HasSecondOfQueries)
                factors[CrossRun.Pairs + query * CrossRun.Length + CrossRun.Lane] = both.Second;
        }
    }
}

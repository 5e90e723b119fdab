using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Sums over the cells that a query sees: outputs, or gradients of the query. A group takes a run of 16 queries: its threads
/// compute the factors of up to 128 cells into shared memory, then each sums four channels of four queries. Windows of more
/// cells go through in pieces, once for every 64 channels.
/// </summary>
internal readonly struct CrossQueries<TElement, TStorage, TReal, TAccess, TNormalisation, TCoefficient>
    : IKernel<CrossAttentionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
    where TNormalisation : struct, IScoreNormalisation
    where TCoefficient : struct, ICrossCoefficient
{
    public static int GroupSize => CrossRun.GroupSize;

    private static int Matrices => TCoefficient.HasSecondOfCells ? 2 : 1;

    public static long GroupCount(in CrossAttentionParameters<TStorage, TReal> parameters) => CrossRun.RunCount(
        parameters.Extent.Batch,
        CrossParts.Count<TCoefficient>(in parameters.Extent),
        parameters.Extent.OutputHeight,
        parameters.Extent.OutputWidth);

    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var factors = SharedMemory.Allocate<Pack4<TReal>>(Matrices * CrossRun.Pairs / 4).AsAligned(16);
        var run = CrossRun.Locate(
            CrossParts.Count<TCoefficient>(in parameters.Extent),
            parameters.Extent.OutputHeight,
            parameters.Extent.OutputWidth);
        var rows = AxisRange.Read(parameters.Rows, run.Row);
        int firstColumn = AxisRange.Read(parameters.Columns, run.Column).First;
        int width = AxisRange.Read(parameters.Columns, run.Column + run.Count - 1).End - firstColumn;
        int cells = rows.Count * width;
        int channels = CrossParts.Channels<TCoefficient>(in parameters.Extent);
        var factor = TCoefficient.IsOfValue ? TReal.One : parameters.Scale;
        for (int first = 0; first < channels; first += GroupSize)
        {
            int channel = first + 4 * CrossRun.Lane;
            var sums = default(CrossSums<TReal>);
            for (int firstCell = 0; firstCell < cells; firstCell += CrossRun.Partners)
            {
                int count = cells - firstCell < CrossRun.Partners ? cells - firstCell : CrossRun.Partners;
                Group.Barrier();
                if (first == 0 | cells > CrossRun.Partners)
                    Fill(in parameters, in run, in rows, firstColumn, width, firstCell, count, factors.Cast<TReal>());
                Group.Barrier();
                if (channel < channels)
                {
                    var at = new CrossPlace(rows.First, firstColumn, width, firstCell);
                    int from = run.Part * channels + channel;
                    if (TCoefficient.IsOfValue)
                    {
                        sums.Add<TElement, TStorage, TAccess>(
    in parameters.Value, in at, run.Image, from, count, channels - channel, factors);
                        if (TCoefficient.HasSecondOfCells)
                        {
                            sums.Add<TElement, TStorage, TAccess>(
                                in parameters.ValueDirection,
                                in at,
                                run.Image,
                                from,
                                count,
                                channels - channel,
                                factors.SubView(CrossRun.Pairs / 4, CrossRun.Pairs / 4));
                        }
                    }
                    else
                    {
                        sums.Add<TElement, TStorage, TAccess>(
    in parameters.Key, in at, run.Image, from, count, channels - channel, factors);
                        if (TCoefficient.HasSecondOfCells)
                        {
                            sums.Add<TElement, TStorage, TAccess>(
                                in parameters.KeyDirection,
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
                    in parameters.OutputResult, in run, 4 * CrossRun.Share, target, channels - channel, factor);
            }
            else
            {
                sums.Store<TElement, TStorage, TAccess>(
                    in parameters.QueryResult, in run, 4 * CrossRun.Share, target, channels - channel, factor);
            }
        }
    }

    // The factors of all queries and some cells, [cell][query].
    private static void Fill(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossRun run,
        in AxisRange rows,
        int firstColumn,
        int width,
        int firstCell,
        int count,
        ArrayView<TReal> factors)
    {
        var columns = AxisRange.Read(parameters.Columns, run.OwnColumn);
        var pair = new CrossPair { Image = run.Image, Row = run.Row, Column = run.OwnColumn };
        for (int cell = CrossRun.Share; cell < count; cell += CrossRun.Parts)
        {
            int row = (firstCell + cell) / width;
            pair.CellRow = rows.First + row;
            pair.CellColumn = firstColumn + firstCell + cell - row * width;
            pair.FindCount(in rows, in columns, parameters.Extent.OutsideIsZero == 0);
            var both = CrossParts.Factors<TElement, TStorage, TReal, TAccess, TNormalisation, TCoefficient>(
                in parameters, in pair, run.Part);
            factors[cell * CrossRun.Length + CrossRun.Lane] = both.First;
            if (TCoefficient.HasSecondOfCells)
                factors[CrossRun.Pairs + cell * CrossRun.Length + CrossRun.Lane] = both.Second;
        }
    }
}

using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The largest score of every query and head and the sum of the exponentials of the scores less it, in one pass over the cells:
/// four threads a query, each with every fourth cell.
/// </summary>
internal readonly struct CrossStatistics<TElement, TStorage, TReal, TAccess>
    : IKernel<CrossAttentionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
{
    public static int GroupSize => CrossRun.GroupSize;

    public static long GroupCount(in CrossAttentionParameters<TStorage, TReal> parameters) => CrossRun.RunCount(
        parameters.Extent.Batch, parameters.Extent.Heads, parameters.Extent.OutputHeight, parameters.Extent.OutputWidth);

    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var shifts = SharedMemory.Allocate<TReal>(GroupSize);
        var sums = SharedMemory.Allocate<TReal>(GroupSize);
        var run = CrossRun.Locate(
            parameters.Extent.Heads, parameters.Extent.OutputHeight, parameters.Extent.OutputWidth);
        var rows = AxisRange.Read(parameters.Rows, run.Row);
        var columns = AxisRange.Read(parameters.Columns, run.OwnColumn);
        var pair = new CrossPair { Image = run.Image, Row = run.Row, Column = run.OwnColumn };
        bool repeats = parameters.Extent.OutsideIsZero == 0;
        var shift = TReal.Zero;
        var sum = TReal.Zero;
        int cells = rows.Count * columns.Count;
        for (int cell = CrossRun.Share; cell < cells; cell += CrossRun.Parts)
        {
            int row = cell / columns.Count;
            pair.CellRow = rows.First + row;
            pair.CellColumn = columns.First + cell - row * columns.Count;
            pair.FindCount(in rows, in columns, repeats);
            if (CrossPairs<TElement, TStorage, TReal, TAccess>.IsMasked(in parameters, in pair))
                continue;
            var score = CrossPairs<TElement, TStorage, TReal, TAccess>.Score(in parameters, in pair, run.Part);
            if (TReal.IsNegativeInfinity(score))
                continue;
            Add(score, TElement.FromCount(pair.Count), ref shift, ref sum);
        }
        shifts[Group.IdxX] = shift;
        sums[Group.IdxX] = sum;
        Group.Barrier();
        if (CrossRun.Share != 0 | CrossRun.Lane >= run.Count)
            return;
        for (int other = CrossRun.Length; other < GroupSize; other += CrossRun.Length)
        {
            if (sums[CrossRun.Lane + other] != TReal.Zero)
                Add(shifts[CrossRun.Lane + other], sums[CrossRun.Lane + other], ref shift, ref sum);
        }
        int outside = rows.Taps * columns.Taps - cells;
        if (!repeats & outside > 0)
            Add(TReal.Zero, TElement.FromCount(outside), ref shift, ref sum);
        long at = parameters.Statistics.Offset(run.Image, 2 * run.Part, run.Row, run.OwnColumn);
        parameters.Statistics.Data[at] = shift;
        parameters.Statistics.Data[at + parameters.Statistics.ChannelStride] = sum;
    }

    // Takes as many exponentials of a score, or a sum of some less that score.
    private static void Add(TReal score, TReal count, ref TReal shift, ref TReal sum)
    {
        if (sum == TReal.Zero)
        {
            shift = score;
            sum = count;
        }
        else if (score > shift)
        {
            sum = sum * TElement.Exp(shift - score) + count;
            shift = score;
        }
        else
        {
            sum += count * TElement.Exp(score - shift);
        }
    }
}

using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// What is subtracted from the scores of every query and head and the sum of the unnormalised weights of what is left, in one pass
/// over the cells: four threads a query, each with every fourth cell. Without a normalisation they are 0 and 1.
/// </summary>
internal readonly struct CrossStatistics<TElement, TStorage, TReal, TAccess, TNormalisation>
    : IKernel<CrossAttentionParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
    where TNormalisation : struct, IScoreNormalisation
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
        int cells = TNormalisation.Divides ? rows.Count * columns.Count : 0;
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
            Add(ShiftOf(score), Amount(score, pair.Count), ref shift, ref sum);
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
        if (!TNormalisation.Divides)
            sum = TReal.One;
        int outside = rows.Taps * columns.Taps - cells;
        if (TNormalisation.Divides & !repeats & outside > 0)
            Add(TReal.Zero, Amount(TReal.Zero, outside), ref shift, ref sum);
        long at = parameters.Statistics.Offset(run.Image, 2 * run.Part, run.Row, run.OwnColumn);
        parameters.Statistics.Data[at] = shift;
        parameters.Statistics.Data[at + parameters.Statistics.ChannelStride] = sum;
    }

    private static TReal ShiftOf(TReal score) => TNormalisation.ShiftOf<TElement, TStorage, TReal>(score);

    // The unnormalised weights of a score that counts more than once, less the shift of that score alone.
    private static TReal Amount(TReal score, int count)
    {
        var amount = TElement.FromCount(count);
        if (!TNormalisation.SubtractsMaximum)
            amount *= TNormalisation.Unnormalised<TElement, TStorage, TReal>(score - ShiftOf(score));
        return amount;
    }

    // Adds a sum with a shift of its own. Where shifts differ, the weights of the smaller one are exponentials.
    private static void Add(TReal ownShift, TReal amount, ref TReal shift, ref TReal sum)
    {
        if (sum == TReal.Zero)
        {
            shift = ownShift;
            sum = amount;
        }
        else if (ownShift > shift)
        {
            sum = sum * TElement.Exp(shift - ownShift) + amount;
            shift = ownShift;
        }
        else
        {
            sum += amount * TElement.Exp(ownShift - shift);
        }
    }
}

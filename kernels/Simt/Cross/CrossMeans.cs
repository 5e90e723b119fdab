using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The sums over the cells of every query and head that the gradients need: P·a, and for second derivatives Q·s′ and
/// Q·s′·a + P·a′. Only weights that are divided by their sum have any. Four threads a query, each with every fourth cell.
/// </summary>
internal readonly struct CrossMeans<TElement, TStorage, TReal, TAccess, TNormalisation>
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
        var sums = SharedMemory.Allocate<TReal>(3 * GroupSize);
        var run = CrossRun.Locate(
            parameters.Extent.Heads, parameters.Extent.OutputHeight, parameters.Extent.OutputWidth);
        var rows = AxisRange.Read(parameters.Rows, run.Row);
        var columns = AxisRange.Read(parameters.Columns, run.OwnColumn);
        var pair = new CrossPair { Image = run.Image, Row = run.Row, Column = run.OwnColumn };
        var state = CrossPairs<TElement, TStorage, TReal, TAccess>.Read(in parameters, in pair, run.Part, hasMeans: false);
        bool repeats = parameters.Extent.OutsideIsZero == 0;
        bool isSecond = parameters.HasDirections != 0;
        int set = parameters.Extent.AveragesHeads != 0 ? 0 : run.Part;
        var grad = TReal.Zero;
        var direction = TReal.Zero;
        var second = TReal.Zero;
        int cells = TNormalisation.Divides ? rows.Count * columns.Count : 0;
        for (int cell = CrossRun.Share; cell < cells; cell += CrossRun.Parts)
        {
            int row = cell / columns.Count;
            pair.CellRow = rows.First + row;
            pair.CellColumn = columns.First + cell - row * columns.Count;
            pair.FindCount(in rows, in columns, repeats);
            if (CrossPairs<TElement, TStorage, TReal, TAccess>.IsMasked(in parameters, in pair))
                continue;
            var all = CrossPairs<TElement, TStorage, TReal, TAccess>.Weights<TNormalisation>(in parameters, in pair, in state, run.Part);
            var a = CrossPairs<TElement, TStorage, TReal, TAccess>.Grad(in parameters, in parameters.Value, in pair, set);
            grad += all.Weight * a;
            if (isSecond)
            {
                var s = CrossPairs<TElement, TStorage, TReal, TAccess>.Direction(in parameters, in pair, run.Part);
                direction += all.Slope * s;
                second += all.Slope * s * a + all.Weight * CrossPairs<TElement, TStorage, TReal, TAccess>.Grad(
                    in parameters, in parameters.ValueDirection, in pair, set);
            }
        }
        sums[Group.IdxX] = grad;
        sums[Group.IdxX + GroupSize] = direction;
        sums[Group.IdxX + 2 * GroupSize] = second;
        Group.Barrier();
        if (CrossRun.Share != 0 | CrossRun.Lane >= run.Count)
            return;
        long at = parameters.Means.Offset(run.Image, 3 * run.Part, run.Row, run.OwnColumn);
        for (int number = 0; number < 3; number++)
        {
            parameters.Means.Data[at + number * parameters.Means.ChannelStride] =
                Total(sums, number * GroupSize + CrossRun.Lane);
        }
    }

    private static TReal Total(ArrayView<TReal> sums, int first)
    {
        var sum = sums[first];
        for (int part = 1; part < CrossRun.Parts; part++)
            sum += sums[first + part * CrossRun.Length];
        return sum;
    }
}

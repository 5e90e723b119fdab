using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gather that replaces the scatter of the backward: a cell collects the contributions of all queries whose window
/// holds it, in a fixed order, so that the result is the same to the last bit in every run.
/// </summary>
/// <remarks>
/// A thread owns four channels of one cell and walks the up to K²·s² queries around it: one vector load of the source
/// and one scalar load of the weight for four multiply-adds. Traffic to main memory: every operand once; the rereads
/// by neighbouring cells are served by the cache.
/// </remarks>
internal readonly struct TransposedReassembly<
    TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TScale, TAccess>
    : IKernel<TransposedReassemblyParameters<TStorage, TWeight>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWeightElement : struct, IElement<TWeight, TReal>
    where TWeight : unmanaged
    where TWindow : struct, IWindow
    where TScale : struct, IScale
    where TAccess : struct, IChannelAccess
{
    public static int GroupSize => 128;

    public static long GroupCount(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        (Items(in parameters) + GroupSize - 1) / GroupSize;

    public static void Execute(in TransposedReassemblyParameters<TStorage, TWeight> parameters)
    {
        long item = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (item >= Items(in parameters))
            return;

        int packs = (parameters.Extent.ValueChannels + 3) / 4;
        int width = parameters.Extent.Width;
        int column;
        int channel;
        long rest;
        if (TAccess.ChannelsFastest)
        {
            channel = 4 * (int)(item % packs);
            rest = item / packs;
            column = (int)(rest % width);
            rest /= width;
        }
        else
        {
            column = (int)(item % width);
            rest = item / width;
            channel = 4 * (int)(rest % packs);
            rest /= packs;
        }
        int row = parameters.Band.FirstRow + (int)(rest % parameters.Band.Rows);
        int image = parameters.Band.FirstImage + (int)(rest / parameters.Band.Rows);
        int remaining = parameters.Extent.ValueChannels - channel;
        var sum = Gather(in parameters, image, row, column, channel, remaining);
        TAccess.Store<TElement, TStorage, TReal>(
            in parameters.Result, parameters.Result.Offset(image, channel, row, column), remaining, sum);
    }

    private static Pack4<TReal> Gather(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters,
        int image,
        int row,
        int column,
        int channel,
        int remaining)
    {
        int window = TWindow.Size(parameters.Extent.Window);
        int radius = window / 2;
        int firstRow = row > radius ? row - radius : 0;
        int lastRow = row + radius < parameters.Extent.Height ? row + radius : parameters.Extent.Height - 1;
        int firstColumn = column > radius ? column - radius : 0;
        int lastColumn = column + radius < parameters.Extent.Width ? column + radius : parameters.Extent.Width - 1;
        var sum = default(Pack4<TReal>);
        for (int sourceRow = firstRow; sourceRow <= lastRow; sourceRow++)
        {
            int tapRow = row - sourceRow + radius;
            int queryRow = TScale.First(in parameters.Extent.Rows, sourceRow);
            for (int i = TScale.Count(in parameters.Extent.Rows, sourceRow); i > 0; i--)
            {
                for (int cell = firstColumn; cell <= lastColumn; cell++)
                {
                    int tap = tapRow * window + column - cell + radius;
                    int queryColumn = TScale.First(in parameters.Extent.Columns, cell);
                    long weightOffset = parameters.Weights.Offset(image, tap, queryRow, queryColumn);
                    long sourceOffset = parameters.Source.Offset(image, channel, queryRow, queryColumn);
                    for (int j = TScale.Count(in parameters.Extent.Columns, cell); j > 0; j--)
                    {
                        var weight = TWeightElement.Load(parameters.Weights.Data[weightOffset]);
                        var source = TAccess.Load<TElement, TStorage, TReal>(
                            in parameters.Source, sourceOffset, remaining);
                        sum = Pack4.MultiplyAdd(weight, source, sum);
                        weightOffset += parameters.Weights.ColumnStride;
                        sourceOffset += parameters.Source.ColumnStride;
                    }
                }
                queryRow++;
            }
        }
        if (parameters.Accumulate != 0)
        {
            var known = TAccess.Load<TElement, TStorage, TReal>(
                in parameters.Result, parameters.Result.Offset(image, channel, row, column), remaining);
            sum = Pack4.MultiplyAdd(TReal.One, known, sum);
        }
        return sum;
    }

    private static long Items(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        (long)((parameters.Extent.ValueChannels + 3) / 4)
        * parameters.Extent.Width * parameters.Band.Rows * parameters.Band.Images;
}

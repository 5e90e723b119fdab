using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Interpolation: a value is the weighted sum of up to four samples. A group takes a segment of a row of the output, whose
/// samples it finds once for all channels, and a thread four channels of a pixel at a time. Traffic: input and output
/// once; the rereads by neighbours come from the cache.
/// </summary>
internal readonly struct Interpolation<TElement, TStorage, TReal, TSampling, TAccess>
    : IKernel<InterpolationParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TSampling : struct, ISampling
    where TAccess : struct, IChannelAccess
{
    public static int GroupSize => RowSegment.GroupSize;

    public static long GroupCount(in InterpolationParameters<TStorage> parameters) => RowSegment.GroupCount(
        parameters.Batch, (parameters.Channels + 3) / 4, parameters.Rows.Output, parameters.Columns.Output);

    public static void Execute(in InterpolationParameters<TStorage> parameters)
    {
        var segment = RowSegment.Locate(
            (parameters.Channels + 3) / 4, parameters.Rows.Output, parameters.Columns.Output);
        var lows = SharedMemory.Allocate<int>(RowSegment.MostColumns + 1);
        var highs = SharedMemory.Allocate<int>(RowSegment.MostColumns + 1);
        var fractions = SharedMemory.Allocate<TReal>(RowSegment.MostColumns + 1);
        if (Group.IdxX < segment.Columns)
        {
            Keep(
                TSampling.Locate(in parameters.Columns, segment.Column + Group.IdxX),
                Group.IdxX, lows, highs, fractions);
        }
        if (Group.IdxX == GroupSize - 1)
        {
            Keep(
                TSampling.Locate(in parameters.Rows, segment.Row), RowSegment.MostColumns, lows, highs, fractions);
        }
        Group.Barrier();
        int lowRow = lows[RowSegment.MostColumns];
        long toHighRow = (highs[RowSegment.MostColumns] - lowRow) * parameters.Source.RowStride;
        var down = fractions[RowSegment.MostColumns];
        int items = segment.Items(TAccess.ChannelsFastest);
        for (int item = Group.IdxX; item < items; item += GroupSize)
        {
            int column = segment.ColumnOf(item, TAccess.ChannelsFastest);
            int channel = 4 * segment.PackOf(item, column, TAccess.ChannelsFastest);
            if (segment.Skips(column))
                continue;
            int remaining = parameters.Channels - channel;
            int lowColumn = lows[column];
            long low = parameters.Source.Offset(segment.Image, channel, lowRow, lowColumn);
            var value = TAccess.Load<TElement, TStorage, TReal>(in parameters.Source, low, remaining);
            if (TSampling.Blends)
            {
                long toHighColumn = (highs[column] - lowColumn) * parameters.Source.ColumnStride;
                var b = TAccess.Load<TElement, TStorage, TReal>(in parameters.Source, low + toHighColumn, remaining);
                var c = TAccess.Load<TElement, TStorage, TReal>(in parameters.Source, low + toHighRow, remaining);
                var d = TAccess.Load<TElement, TStorage, TReal>(
                    in parameters.Source, low + toHighRow + toHighColumn, remaining);
                var across = fractions[column];
                value = Blend(down, Blend(across, in value, in b), Blend(across, in c, in d));
            }
            TAccess.Store<TElement, TStorage, TReal>(
                in parameters.Result,
                parameters.Result.Offset(segment.Image, channel, segment.Row, segment.Column + column),
                remaining,
                in value);
        }
    }

    private static void Keep(
        in SamplePosition position, int at, ArrayView<int> lows, ArrayView<int> highs, ArrayView<TReal> fractions)
    {
        lows[at] = position.Low;
        highs[at] = position.High;
        fractions[at] = Sample.Fraction<TElement, TStorage, TReal>(in position);
    }

    private static Pack4<TReal> Blend(
        TReal way, in Pack4<TReal> from, in Pack4<TReal> to) =>
        Pack4.MultiplyAdd(way, in to, Pack4.MultiplyAdd(TReal.One - way, in from, default));
}

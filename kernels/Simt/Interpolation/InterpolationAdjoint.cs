using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The adjoint of interpolation: an input sample collects, in a fixed order, what it contributed to the output. A group
/// takes a segment of a row of the input and finds once for all channels which outputs its samples contributed to, and
/// by which share; a thread takes four channels of a pixel at a time.
/// </summary>
internal readonly struct InterpolationAdjoint<TElement, TStorage, TReal, TSampling, TAccess>
    : IKernel<InterpolationParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TSampling : struct, ISampling
    where TAccess : struct, IChannelAccess
{
    // A ratio of 2 has up to six outputs for an input; shares beyond the table are computed where they are needed.
    private const int KnownShares = 16;

    public static int GroupSize => RowSegment.GroupSize;

    public static long GroupCount(in InterpolationParameters<TStorage> parameters) => RowSegment.GroupCount(
        parameters.Batch, (parameters.Channels + 3) / 4, parameters.Rows.Input, parameters.Columns.Input);

    public static void Execute(in InterpolationParameters<TStorage> parameters)
    {
        var segment = RowSegment.Locate(
            (parameters.Channels + 3) / 4, parameters.Rows.Input, parameters.Columns.Input);
        var firsts = SharedMemory.Allocate<int>(RowSegment.MostColumns + 1);
        var ends = SharedMemory.Allocate<int>(RowSegment.MostColumns + 1);
        var shares = SharedMemory.Allocate<TReal>((RowSegment.MostColumns + 1) * KnownShares);
        if (Group.IdxX < segment.Columns)
            Keep(in parameters.Columns, segment.Column + Group.IdxX, Group.IdxX, firsts, ends, shares);
        if (Group.IdxX == GroupSize - 1)
            Keep(in parameters.Rows, segment.Row, RowSegment.MostColumns, firsts, ends, shares);
        Group.Barrier();
        int firstRow = firsts[RowSegment.MostColumns];
        int endRow = ends[RowSegment.MostColumns];
        int items = segment.Items(TAccess.ChannelsFastest);
        for (int item = Group.IdxX; item < items; item += GroupSize)
        {
            int at = segment.ColumnOf(item, TAccess.ChannelsFastest);
            int channel = 4 * segment.PackOf(item, at, TAccess.ChannelsFastest);
            if (segment.Skips(at))
                continue;
            int remaining = parameters.Channels - channel;
            int firstColumn = firsts[at];
            int columns = ends[at] - firstColumn;
            long start = parameters.Source.Offset(segment.Image, channel, firstRow, firstColumn);
            var sum = default(Pack4<TReal>);
            for (int row = firstRow; row < endRow; row++)
            {
                var down = ShareOf(
                    in parameters.Rows, segment.Row, row, RowSegment.MostColumns, row - firstRow, shares);
                long offset = start;
                for (int i = 0; i < columns; i++)
                {
                    var source = TAccess.Load<TElement, TStorage, TReal>(in parameters.Source, offset, remaining);
                    var across = ShareOf(
                        in parameters.Columns, segment.Column + at, firstColumn + i, at, i, shares);
                    sum = Pack4.MultiplyAdd(down * across, in source, in sum);
                    offset += parameters.Source.ColumnStride;
                }
                start += parameters.Source.RowStride;
            }
            TAccess.Store<TElement, TStorage, TReal>(
                in parameters.Result,
                parameters.Result.Offset(segment.Image, channel, segment.Row, segment.Column + at),
                remaining,
                in sum);
        }
    }

    private static void Keep(
        in SampleAxis axis, int input, int at, ArrayView<int> firsts, ArrayView<int> ends, ArrayView<TReal> shares)
    {
        int first = TSampling.First(in axis, input);
        int end = TSampling.End(in axis, input);
        while (first < end && !Touches(in axis, input, first))
            first++;
        while (first < end && !Touches(in axis, input, end - 1))
            end--;
        firsts[at] = first;
        ends[at] = end;
        int known = Math.Min(end - first, KnownShares);
        for (int i = 0; i < known; i++)
            shares[at * KnownShares + i] = Share(in axis, input, first + i);
    }

    // The bounds of a sampling are generous.
    private static bool Touches(in SampleAxis axis, int input, int output)
    {
        var position = TSampling.Locate(in axis, output);
        return position.Low == input | position.High == input;
    }

    private static TReal ShareOf(
        in SampleAxis axis, int input, int output, int at, int index, ArrayView<TReal> shares)
    {
        if (index < KnownShares)
            return shares[at * KnownShares + index];
        return Share(in axis, input, output);
    }

    private static TReal Share(in SampleAxis axis, int input, int output)
    {
        var position = TSampling.Locate(in axis, output);
        var fraction = Sample.Fraction<TElement, TStorage, TReal>(in position);
        var bilinearWeight = position.Low == input ? TReal.One - fraction : TReal.Zero;
        return position.High == input ? bilinearWeight + fraction : bilinearWeight;
    }
}

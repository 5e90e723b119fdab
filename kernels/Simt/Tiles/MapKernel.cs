using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Runs an <see cref="IMapProgram{TParameters}"/>: a group takes a segment of a row with all its channels, a thread one
/// value at a time.
/// </summary>
internal readonly struct MapKernel<TProgram, TParameters> : IKernel<TParameters>
    where TProgram : struct, IMapProgram<TParameters>
    where TParameters : struct
{
    public static int GroupSize => RowSegment.GroupSize;

    public static long GroupCount(in TParameters parameters)
    {
        var extent = TProgram.Extent(in parameters);
        return RowSegment.GroupCount(extent.Batch, extent.Channels, extent.Height, extent.Width);
    }

    public static void Execute(in TParameters parameters)
    {
        var extent = TProgram.Extent(in parameters);
        var segment = RowSegment.Locate(extent.Channels, extent.Height, extent.Width);
        bool channelsFirst = extent.ChannelsFirst != 0;
        int items = segment.Items(channelsFirst);
        for (int item = Group.IdxX; item < items; item += GroupSize)
        {
            int column = segment.ColumnOf(item, channelsFirst);
            if (segment.Skips(column))
                continue;
            var at = new MapPosition
            {
                Image = segment.Image,
                Channel = segment.PackOf(item, column, channelsFirst),
                Row = segment.Row,
                Column = segment.Column + column,
            };
            TProgram.Apply(in parameters, in at);
        }
    }
}

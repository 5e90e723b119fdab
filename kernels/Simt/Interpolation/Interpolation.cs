using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Interpolation: a value is the weighted sum of up to four samples. A thread takes four channels of one place, so that
/// what it costs to find the samples is shared. Traffic: input and output once; the rereads by neighbours come from the
/// cache.
/// </summary>
internal readonly struct Interpolation<TElement, TStorage, TReal, TSampling, TAccess>
    : IKernel<InterpolationParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TSampling : struct, ISampling
    where TAccess : struct, IChannelAccess
{
    public static int GroupSize => 128;

    public static long GroupCount(in InterpolationParameters<TStorage> parameters) =>
        (Packs(in parameters).Count + GroupSize - 1) / GroupSize;

    public static void Execute(in InterpolationParameters<TStorage> parameters)
    {
        var packs = Packs(in parameters);
        long index = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (index >= packs.Count)
            return;
        var at = packs.Locate(index);
        int channel = 4 * at.Channel;
        int remaining = parameters.Channels - channel;
        var row = TSampling.Locate(in parameters.Rows, at.Row);
        var column = TSampling.Locate(in parameters.Columns, at.Column);
        long low = parameters.Source.Offset(at.Image, channel, row.Low, column.Low);
        var value = TAccess.Load<TElement, TStorage, TReal>(in parameters.Source, low, remaining);
        if (TSampling.Blends)
        {
            long rowStep = (row.High - row.Low) * parameters.Source.RowStride;
            long columnStep = (column.High - column.Low) * parameters.Source.ColumnStride;
            var b = TAccess.Load<TElement, TStorage, TReal>(in parameters.Source, low + columnStep, remaining);
            var c = TAccess.Load<TElement, TStorage, TReal>(in parameters.Source, low + rowStep, remaining);
            var d = TAccess.Load<TElement, TStorage, TReal>(
                in parameters.Source, low + rowStep + columnStep, remaining);
            var down = Sample.Fraction<TElement, TStorage, TReal>(in row);
            var across = Sample.Fraction<TElement, TStorage, TReal>(in column);
            value = Blend(down, Blend(across, in value, in b), Blend(across, in c, in d));
        }
        TAccess.Store<TElement, TStorage, TReal>(
            in parameters.Result,
            parameters.Result.Offset(at.Image, channel, at.Row, at.Column),
            remaining,
            in value);
    }

    private static MapExtent Packs(in InterpolationParameters<TStorage> parameters) => Sample.Packs<TAccess>(
        parameters.Batch, parameters.Channels, parameters.Rows.Output, parameters.Columns.Output);

    private static Pack4<TReal> Blend(
        TReal way, in Pack4<TReal> from, in Pack4<TReal> to) =>
        Pack4.MultiplyAdd(way, in to, Pack4.MultiplyAdd(TReal.One - way, in from, default));
}

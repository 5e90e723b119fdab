using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Interpolation: a value is the weighted sum of up to four samples. A thread takes four channels of one place, so that what
/// it costs to find the samples is shared. Traffic: input and output once; the rereads by neighbours come from the cache.
/// </summary>
public readonly struct Interpolation<TElement, TStorage, TAccumulator, TSampling, TAccess>
    : IKernel<InterpolationParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TSampling : struct, ISampling
    where TAccess : struct, IChannelAccess
{
    /// <inheritdoc/>
    public static int GroupSize => 128;

    /// <inheritdoc/>
    public static long GroupCount(in InterpolationParameters<TStorage> parameters) =>
        (Packs(in parameters).Count + GroupSize - 1) / GroupSize;

    /// <inheritdoc/>
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
        var value = TAccess.Load<TElement, TStorage, TAccumulator>(in parameters.Source, low, remaining);
        if (TSampling.Blends)
        {
            long rowStep = (row.High - row.Low) * parameters.Source.RowStride;
            long columnStep = (column.High - column.Low) * parameters.Source.ColumnStride;
            var b = TAccess.Load<TElement, TStorage, TAccumulator>(in parameters.Source, low + columnStep, remaining);
            var c = TAccess.Load<TElement, TStorage, TAccumulator>(in parameters.Source, low + rowStep, remaining);
            var d = TAccess.Load<TElement, TStorage, TAccumulator>(
                in parameters.Source, low + rowStep + columnStep, remaining);
            var down = Sample.Fraction<TElement, TStorage, TAccumulator>(in row);
            var across = Sample.Fraction<TElement, TStorage, TAccumulator>(in column);
            value = Blend(down, Blend(across, in value, in b), Blend(across, in c, in d));
        }
        TAccess.Store<TElement, TStorage, TAccumulator>(
            in parameters.Result,
            parameters.Result.Offset(at.Image, channel, at.Row, at.Column),
            remaining,
            in value);
    }

    private static MapExtent Packs(in InterpolationParameters<TStorage> parameters) => Sample.Packs<TAccess>(
        parameters.Batch, parameters.Channels, parameters.Rows.Output, parameters.Columns.Output);

    private static Pack4<TAccumulator> Blend(
        TAccumulator way, in Pack4<TAccumulator> from, in Pack4<TAccumulator> to) =>
        Pack4.MultiplyAdd(way, in to, Pack4.MultiplyAdd(TAccumulator.One - way, in from, default));
}

/// <summary>
/// The adjoint of interpolation: an input sample collects, in a fixed order, what it contributed to the output. A thread
/// takes four channels of one sample.
/// </summary>
public readonly struct InterpolationAdjoint<TElement, TStorage, TAccumulator, TSampling, TAccess>
    : IKernel<InterpolationParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TSampling : struct, ISampling
    where TAccess : struct, IChannelAccess
{
    /// <inheritdoc/>
    public static int GroupSize => 128;

    /// <inheritdoc/>
    public static long GroupCount(in InterpolationParameters<TStorage> parameters) =>
        (Packs(in parameters).Count + GroupSize - 1) / GroupSize;

    /// <inheritdoc/>
    public static void Execute(in InterpolationParameters<TStorage> parameters)
    {
        var packs = Packs(in parameters);
        long index = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (index >= packs.Count)
            return;
        var at = packs.Locate(index);
        int channel = 4 * at.Channel;
        int remaining = parameters.Channels - channel;
        int firstColumn = TSampling.First(in parameters.Columns, at.Column);
        int endColumn = TSampling.End(in parameters.Columns, at.Column);
        int endRow = TSampling.End(in parameters.Rows, at.Row);
        var sum = default(Pack4<TAccumulator>);
        for (int row = TSampling.First(in parameters.Rows, at.Row); row < endRow; row++)
        {
            var down = Share(in parameters.Rows, at.Row, row);
            long offset = parameters.Source.Offset(at.Image, channel, row, firstColumn);
            for (int column = firstColumn; column < endColumn; column++)
            {
                var source = TAccess.Load<TElement, TStorage, TAccumulator>(in parameters.Source, offset, remaining);
                sum = Pack4.MultiplyAdd(down * Share(in parameters.Columns, at.Column, column), in source, in sum);
                offset += parameters.Source.ColumnStride;
            }
        }
        TAccess.Store<TElement, TStorage, TAccumulator>(
            in parameters.Result, parameters.Result.Offset(at.Image, channel, at.Row, at.Column), remaining, in sum);
    }

    private static MapExtent Packs(in InterpolationParameters<TStorage> parameters) => Sample.Packs<TAccess>(
        parameters.Batch, parameters.Channels, parameters.Rows.Input, parameters.Columns.Input);

    private static TAccumulator Share(in SampleAxis axis, int input, int output)
    {
        var place = TSampling.Locate(in axis, output);
        var way = Sample.Fraction<TElement, TStorage, TAccumulator>(in place);
        var share = place.Low == input ? TAccumulator.One - way : TAccumulator.Zero;
        return place.High == input ? share + way : share;
    }
}

/// <summary>What interpolation and its adjoint share.</summary>
internal static class Sample
{
    /// <summary>The way from the sample before a place to the one after it.</summary>
    public static TAccumulator Fraction<TElement, TStorage, TAccumulator>(in SamplePlace place)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> =>
        TElement.FromCount(place.Numerator) / TElement.FromCount(place.Denominator);

    /// <summary>The packs of four channels of a map, in the order of its memory.</summary>
    public static MapExtent Packs<TAccess>(int batch, int channels, int height, int width)
        where TAccess : struct, IChannelAccess => new()
        {
            Batch = batch,
            Channels = (channels + 3) / 4,
            Height = height,
            Width = width,
            ChannelsFirst = TAccess.ChannelsFastest ? 1 : 0,
        };
}

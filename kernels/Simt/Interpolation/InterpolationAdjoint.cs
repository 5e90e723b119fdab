using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The adjoint of interpolation: an input sample collects, in a fixed order, what it contributed to the output. A
/// thread takes four channels of one sample.
/// </summary>
internal readonly struct InterpolationAdjoint<TElement, TStorage, TReal, TSampling, TAccess>
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
        int firstColumn = TSampling.First(in parameters.Columns, at.Column);
        int endColumn = TSampling.End(in parameters.Columns, at.Column);
        int endRow = TSampling.End(in parameters.Rows, at.Row);
        var sum = default(Pack4<TReal>);
        for (int row = TSampling.First(in parameters.Rows, at.Row); row < endRow; row++)
        {
            var down = Share(in parameters.Rows, at.Row, row);
            long offset = parameters.Source.Offset(at.Image, channel, row, firstColumn);
            for (int column = firstColumn; column < endColumn; column++)
            {
                var source = TAccess.Load<TElement, TStorage, TReal>(in parameters.Source, offset, remaining);
                sum = Pack4.MultiplyAdd(down * Share(in parameters.Columns, at.Column, column), in source, in sum);
                offset += parameters.Source.ColumnStride;
            }
        }
        TAccess.Store<TElement, TStorage, TReal>(
            in parameters.Result, parameters.Result.Offset(at.Image, channel, at.Row, at.Column), remaining, in sum);
    }

    private static MapExtent Packs(in InterpolationParameters<TStorage> parameters) => Sample.Packs<TAccess>(
        parameters.Batch, parameters.Channels, parameters.Rows.Input, parameters.Columns.Input);

    private static TReal Share(in SampleAxis axis, int input, int output)
    {
        var position = TSampling.Locate(in axis, output);
        var fraction = Sample.Fraction<TElement, TStorage, TReal>(in position);
        var bilinearWeight = position.Low == input ? TReal.One - fraction : TReal.Zero;
        return position.High == input ? bilinearWeight + fraction : bilinearWeight;
    }
}

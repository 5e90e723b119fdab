using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The mean over the region of an output; regions may overlap.</summary>
internal readonly struct AveragePoolingForward<TElement, TStorage, TReal>
    : IMapProgram<PoolingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PoolingParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.OutputHeight, parameters.OutputWidth);

    public static double OperationsPerValue(in PoolingParameters<TStorage> parameters) =>
        2.0 + 2.0 * parameters.Height * parameters.Width / ((double)parameters.OutputHeight * parameters.OutputWidth);

    public static void Apply(in PoolingParameters<TStorage> parameters, in MapPosition at)
    {
        int top = PoolingAxis.First(at.Row, parameters.Height, parameters.OutputHeight);
        int bottom = PoolingAxis.End(at.Row, parameters.Height, parameters.OutputHeight);
        int left = PoolingAxis.First(at.Column, parameters.Width, parameters.OutputWidth);
        int right = PoolingAxis.End(at.Column, parameters.Width, parameters.OutputWidth);
        var total = TReal.Zero;
        for (int row = top; row < bottom; row++)
        {
            var sum = TReal.Zero;
            long source = parameters.Source.Offset(at.Image, at.Channel, row, left);
            for (int column = left; column < right; column++)
            {
                sum += TElement.Load(parameters.Source.Data[source]);
                source += parameters.Source.ColumnStride;
            }
            total += sum;
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(
            total / (TElement.FromCount(bottom - top) * TElement.FromCount(right - left)));
    }
}

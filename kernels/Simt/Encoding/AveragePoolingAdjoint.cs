using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of a cell: what each output that it is part of hands to its cells.</summary>
internal readonly struct AveragePoolingAdjoint<TElement, TStorage, TReal>
    : IMapProgram<PoolingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PoolingParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PoolingParameters<TStorage> parameters) =>
        8.0 + 8.0 * parameters.OutputHeight * parameters.OutputWidth / ((double)parameters.Height * parameters.Width);

    public static void Apply(in PoolingParameters<TStorage> parameters, in MapPosition at)
    {
        int top = PoolingAxis.FirstOutput(at.Row, parameters.Height, parameters.OutputHeight);
        int bottom = PoolingAxis.EndOutput(at.Row, parameters.Height, parameters.OutputHeight);
        int left = PoolingAxis.FirstOutput(at.Column, parameters.Width, parameters.OutputWidth);
        int right = PoolingAxis.EndOutput(at.Column, parameters.Width, parameters.OutputWidth);
        var total = TReal.Zero;
        for (int row = top; row < bottom; row++)
        {
            int height = PoolingAxis.End(row, parameters.Height, parameters.OutputHeight)
                - PoolingAxis.First(row, parameters.Height, parameters.OutputHeight);
            var sum = TReal.Zero;
            for (int column = left; column < right; column++)
            {
                int width = PoolingAxis.End(column, parameters.Width, parameters.OutputWidth)
                    - PoolingAxis.First(column, parameters.Width, parameters.OutputWidth);
                long source = parameters.Source.Offset(at.Image, at.Channel, row, column);
                sum += TElement.Load(parameters.Source.Data[source]) / TElement.FromCount(width);
            }
            total += sum / TElement.FromCount(height);
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(total);
    }
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Adds up the list of a cell: share · weight · feature of every sample.</summary>
internal readonly struct DeformableGather<TElement, TStorage, TReal>
    : IMapProgram<DeformableGatherParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableGatherParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result,
        1,
        parameters.Groups * parameters.GroupChannels,
        parameters.Rows.Cells,
        parameters.Columns.Cells);

    public static double OperationsPerValue(in DeformableGatherParameters<TStorage, TReal> parameters) =>
        16.0 + 32.0 * parameters.Queries * parameters.Points / parameters.Cells;

    public static void Apply(in DeformableGatherParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int group = at.Channel / parameters.GroupChannels;
        long cell = (long)group * (parameters.Cells + 1) + at.Row * parameters.Columns.Cells + at.Column;
        long first = (long)group * 4 * parameters.Queries * parameters.Points;
        int end = parameters.Starts[cell + 1];
        var sum = TReal.Zero;
        for (int i = parameters.Starts[cell]; i < end; i++)
        {
            int sample = parameters.Samples[first + i];
            int query = sample / parameters.Points;
            int point = group * parameters.Points + sample - query * parameters.Points;
            int row = query / parameters.Columns.Queries;
            int column = query - row * parameters.Columns.Queries;
            long weight = parameters.Weights.Offset(parameters.Image, point, row, column);
            long feature = parameters.Features.Offset(parameters.Image, at.Channel, row, column);
            sum += parameters.BilinearWeights[first + i] * TElement.Load(parameters.Weights.Data[weight])
                * TElement.Load(parameters.Features.Data[feature]);
        }
        parameters.Result.Data[parameters.Result.Offset(parameters.Image, at.Channel, at.Row, at.Column)] =
            TElement.Store(sum);
    }
}

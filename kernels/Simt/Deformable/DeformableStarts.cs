using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>Turns the lengths of the lists of a group into their starts.</summary>
internal readonly struct DeformableStarts<TStorage, TReal>
    : IMapProgram<DeformableGatherParameters<TStorage, TReal>>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableGatherParameters<TStorage, TReal> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Groups,
        Height = 1,
        Width = 1,
    };

    public static double OperationsPerValue(in DeformableGatherParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.Cells;

    public static void Apply(in DeformableGatherParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        long first = (long)at.Channel * (parameters.Cells + 1);
        int start = 0;
        for (int cell = 0; cell < parameters.Cells; cell++)
        {
            int length = parameters.Starts[first + cell];
            start += length;
            parameters.Starts[first + cell] = start - length;
        }
        parameters.Starts[first + parameters.Cells] = start;
    }
}

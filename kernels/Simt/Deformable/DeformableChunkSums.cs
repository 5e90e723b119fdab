using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>Adds up the counts of a cell over the chunks; the sum waits in the place of the cell's start.</summary>
internal readonly struct DeformableChunkSums<TStorage, TReal>
    : IMapProgram<DeformableGatherParameters<TStorage, TReal>>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableGatherParameters<TStorage, TReal> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Groups,
        Height = 1,
        Width = parameters.Cells,
    };

    public static double OperationsPerValue(in DeformableGatherParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.Chunks;

    public static void Apply(in DeformableGatherParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        int sum = 0;
        for (int chunk = 0; chunk < parameters.Chunks; chunk++)
        {
            long count = ((long)at.Channel * parameters.Chunks + chunk) * parameters.Cells + at.Column;
            int own = parameters.Counts[count];
            sum += own;

            // The compiler may move a reading behind a writing of the same place unless what is written needs it.
            parameters.Counts[count] = sum - own;
        }
        parameters.Starts[(long)at.Channel * (parameters.Cells + 1) + at.Column] = sum;
    }
}

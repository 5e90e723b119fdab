using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>Adds up the counts of a cell over the chunks; the sum waits in the place of the cell's start.</summary>
public readonly struct PointChunkSums<TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Groups,
        Height = 1,
        Width = parameters.Cells,
    };

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) =>
        4.0 * parameters.Chunks;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at)
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

using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>Moves the start of every chunk's part of a list behind the start of the list.</summary>
public readonly struct PointChunkStarts<TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Groups,
        Height = parameters.Chunks,
        Width = parameters.Cells,
    };

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) => 4;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        long count = ((long)at.Channel * parameters.Chunks + at.Row) * parameters.Cells + at.Column;
        parameters.Counts[count] += parameters.Starts[(long)at.Channel * (parameters.Cells + 1) + at.Column];
    }
}

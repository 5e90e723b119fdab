using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>Moves the start of every chunk's part of a list behind the start of the list.</summary>
internal readonly struct DeformableChunkStarts<TStorage, TReal>
    : IMapProgram<DeformableGatherParameters<TStorage, TReal>>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableGatherParameters<TStorage, TReal> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Groups,
        Height = parameters.Chunks,
        Width = parameters.Cells,
    };

    public static double OperationsPerValue(in DeformableGatherParameters<TStorage, TReal> parameters) => 4;

    public static void Apply(in DeformableGatherParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        long count = ((long)at.Channel * parameters.Chunks + at.Row) * parameters.Cells + at.Column;
        parameters.Counts[count] += parameters.Starts[(long)at.Channel * (parameters.Cells + 1) + at.Column];
    }
}

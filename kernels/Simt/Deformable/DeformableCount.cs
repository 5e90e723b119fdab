using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Counts, for every chunk, the samples that touch a cell.</summary>
internal readonly struct DeformableCount<TElement, TStorage, TReal>
    : IMapProgram<DeformableGatherParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableGatherParameters<TStorage, TReal> parameters) => parameters.PerChunk();

    public static double OperationsPerValue(in DeformableGatherParameters<TStorage, TReal> parameters) =>
        60.0 * parameters.QueriesPerChunk * parameters.Points;

    public static void Apply(in DeformableGatherParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        long first = ((long)at.Channel * parameters.Chunks + at.Row) * parameters.Cells;
        for (int cell = 0; cell < parameters.Cells; cell++)
            parameters.Counts[first + cell] = 0;
        DeformableChunk.Visit<TElement, TStorage, TReal>(in parameters, at.Channel, at.Row, places: 0);
    }
}

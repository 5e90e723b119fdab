using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Counts, for every chunk, the samples that touch a cell.</summary>
public readonly struct PointCount<TElement, TStorage, TAccumulator>
    : IMapProgram<PointGatherParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointGatherParameters<TStorage, TAccumulator> parameters) => parameters.PerChunk();

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointGatherParameters<TStorage, TAccumulator> parameters) =>
        60.0 * parameters.QueriesPerChunk * parameters.Points;

    /// <inheritdoc/>
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        long first = ((long)at.Channel * parameters.Chunks + at.Row) * parameters.Cells;
        for (int cell = 0; cell < parameters.Cells; cell++)
            parameters.Counts[first + cell] = 0;
        PointChunk.Visit<TElement, TStorage, TAccumulator>(in parameters, at.Channel, at.Row, places: 0);
    }
}

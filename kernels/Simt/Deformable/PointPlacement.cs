using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Writes the samples of every chunk into the lists.</summary>
public readonly struct PointPlacement<TElement, TStorage, TAccumulator>
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
    public static void Apply(in PointGatherParameters<TStorage, TAccumulator> parameters, in MapPosition at) =>
        PointChunk.Visit<TElement, TStorage, TAccumulator>(in parameters, at.Channel, at.Row, places: 1);
}

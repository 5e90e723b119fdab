using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Writes the samples of every chunk into the lists.</summary>
internal readonly struct DeformablePlacement<TElement, TStorage, TReal>
    : IMapProgram<DeformableGatherParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableGatherParameters<TStorage, TReal> parameters) => parameters.PerChunk();

    public static double OperationsPerValue(in DeformableGatherParameters<TStorage, TReal> parameters) =>
        60.0 * parameters.QueriesPerChunk * parameters.Points;

    public static void Apply(in DeformableGatherParameters<TStorage, TReal> parameters, in MapPosition at) =>
        DeformableChunk.Visit<TElement, TStorage, TReal>(in parameters, at.Channel, at.Row, places: 1);
}

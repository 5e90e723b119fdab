using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Writes the samples into the lists of the cells that they touch, in any order.</summary>
internal readonly struct DeformablePlacement<TElement, TStorage, TReal>
    : IMapProgram<DeformableGatherParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in DeformableGatherParameters<TStorage, TReal> parameters) => parameters.PerPoint();

    public static double OperationsPerValue(in DeformableGatherParameters<TStorage, TReal> parameters) => 60;

    public static void Apply(in DeformableGatherParameters<TStorage, TReal> parameters, in MapPosition at) =>
        DeformableTouch.Visit<TElement, TStorage, TReal>(in parameters, in at, places: true);
}

using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>x·sigmoid(x).</summary>
internal readonly struct SiluForward<TElement, TStorage, TReal>
    : IMapProgram<PointwiseParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PointwiseParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PointwiseParameters<TStorage> parameters) => 16;

    public static void Apply(in PointwiseParameters<TStorage> parameters, in MapPosition at)
    {
        var value = TElement.Load(parameters.Input.Data[at.In(in parameters.Input)]);
        parameters.Result.Data[at.In(in parameters.Result)] =
            TElement.Store(value * Sigmoid.Of<TElement, TStorage, TReal>(value));
    }
}

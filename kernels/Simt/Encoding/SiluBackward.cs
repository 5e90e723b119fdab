using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of x·sigmoid(x), g·s·(1 + x·(1 − s)) with s = sigmoid(x).</summary>
internal readonly struct SiluBackward<TElement, TStorage, TReal>
    : IMapProgram<PointwiseParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PointwiseParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PointwiseParameters<TStorage> parameters) => 20;

    public static void Apply(in PointwiseParameters<TStorage> parameters, in MapPosition at)
    {
        var value = TElement.Load(parameters.Input.Data[at.In(in parameters.Input)]);
        var gradient = TElement.Load(parameters.Gradient.Data[at.In(in parameters.Gradient)]);
        var sigmoid = Sigmoid.Of<TElement, TStorage, TReal>(value);
        parameters.Result.Data[at.In(in parameters.Result)] =
            TElement.Store(gradient * sigmoid * (TReal.One + value * (TReal.One - sigmoid)));
    }
}

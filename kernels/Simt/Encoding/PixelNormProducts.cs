using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>⟨w·g, x⟩ of every pixel.</summary>
internal readonly struct PixelNormProducts<TElement, TStorage, TReal>
    : IMapProgram<PixelNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PixelNormParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Products, parameters.Batch, 1, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PixelNormParameters<TStorage, TReal> parameters) => 3.0 * parameters.Channels;

    public static void Apply(in PixelNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var sum = TReal.Zero;
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            var place = at;
            place.Channel = channel;
            sum += Gradient(in parameters, in place)
                * TElement.Load(parameters.Input.Data[place.In(in parameters.Input)]);
        }
        parameters.Products.Data[at.In(in parameters.Products)] = sum;
    }

    internal static TReal Gradient(in PixelNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        var gradient = TElement.Load(parameters.Gradient.Data[at.In(in parameters.Gradient)]);
        return parameters.HasWeight != 0
            ? gradient * parameters.Weight.Data[parameters.Weight.Offset(0, at.Channel, 0, 0)]
            : gradient;
    }
}

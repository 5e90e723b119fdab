using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The gradient of the input, r·(w·g − q·x·⟨w·g, x⟩).</summary>
internal readonly struct PixelNormBackward<TElement, TStorage, TReal>
    : IMapProgram<PixelNormParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in PixelNormParameters<TStorage, TReal> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in PixelNormParameters<TStorage, TReal> parameters) => 8;

    public static void Apply(in PixelNormParameters<TStorage, TReal> parameters, in MapPosition at)
    {
        long statistics = parameters.Statistics.Offset(at.Image, 0, at.Row, at.Column);
        var reciprocal = parameters.Statistics.Data[statistics];
        var slope = parameters.Statistics.Data[statistics + parameters.Statistics.ChannelStride];
        var product = parameters.Products.Data[parameters.Products.Offset(at.Image, 0, at.Row, at.Column)];
        var gradient = PixelNormProducts<TElement, TStorage, TReal>.Gradient(in parameters, in at);
        var value = TElement.Load(parameters.Input.Data[at.In(in parameters.Input)]);
        parameters.Result.Data[at.In(in parameters.Result)] =
            TElement.Store(reciprocal * (gradient - slope * product * value));
    }
}

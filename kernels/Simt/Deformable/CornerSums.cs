using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The similarities of a query's features and the four cells around one of its points.</summary>
internal static class CornerSums
{
    public static Pack4<TReal> Of<TElement, TStorage, TReal>(
        in DeformableSamplingParameters<TStorage> parameters, in MapPosition at, in SamplePoint<TReal> point)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var sum = default(Pack4<TReal>);
        if (!point.Contributes)
            return sum;
        int channel = at.Channel / parameters.Points * parameters.GroupChannels;
        var corners = SampleCorners.Locate(
            in parameters.Map, in parameters.Rows, in parameters.Columns, in point, at.Image, channel);
        long features = parameters.Features.Offset(at.Image, channel, at.Row, at.Column);
        for (int left = parameters.GroupChannels; left > 0; left--)
        {
            var values = corners.Load<TElement, TStorage, TReal>(in parameters.Map);
            sum = Pack4.MultiplyAdd(TElement.Load(parameters.Features.Data[features]), values, sum);
            corners.Place += parameters.Map.ChannelStride;
            features += parameters.Features.ChannelStride;
        }
        return sum;
    }
}

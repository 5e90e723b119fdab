using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>Bilinear interpolation between the four cells around a point.</summary>
internal static class DeformableBlend
{
    public static TReal Of<TReal>(
        in Pack4<TReal> values, in SamplePoint<TReal> point)
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var left = TReal.One - point.Across;
        return (TReal.One - point.Down) * (left * values.X + point.Across * values.Y)
            + point.Down * (left * values.Z + point.Across * values.W);
    }
}

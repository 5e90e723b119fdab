using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>Bilinear interpolation between the four cells around a point.</summary>
internal static class PointBlend
{
    public static TAccumulator Of<TAccumulator>(
        in Pack4<TAccumulator> values, in SamplePoint<TAccumulator> point)
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    {
        var left = TAccumulator.One - point.Across;
        return (TAccumulator.One - point.Down) * (left * values.X + point.Across * values.Y)
            + point.Down * (left * values.Z + point.Across * values.W);
    }
}

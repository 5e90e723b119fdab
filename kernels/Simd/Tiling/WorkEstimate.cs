using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>The floating-point operations of a problem, for sizing launches.</summary>
internal static class WorkEstimate
{
    /// <summary>The operations of multiplying K² taps of every query with a number of channels.</summary>
    public static double Gather(in WindowExtent extent, in RowBand band, int channels) =>
        2.0 * band.Images * band.Rows / extent.Height * extent.Rows.Queries * extent.Columns.Queries * extent.Taps
            * (channels + 4.0);
}

using System.Runtime.Intrinsics;

namespace SapaGpu.Devices;

/// <summary>The vector widths of the CPU programs.</summary>
internal static class VectorWidth
{
    /// <summary>Gets the widest vectors, in bits, that the hardware supports.</summary>
    public static int Preferred { get; } =
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
}

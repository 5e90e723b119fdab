using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// How many vectors of sums a loop may keep: with 16 registers, sixteen sums would go through the stack in every turn.
/// </summary>
internal static class VectorRegisters
{
    /// <summary>Whether there are 32 registers for vectors of so many bytes.</summary>
    public static bool Are32(int vectorBytes) =>
        vectorBytes >= 64 || Avx512F.VL.IsSupported || AdvSimd.Arm64.IsSupported;
}

using ILGPU.Runtime.Cuda;

namespace SapaGpu.Kernels.Numerics;

/// <summary>
/// The exponential by the instruction of CUDA devices that raises 2 to a power: two instructions where
/// <see cref="SingleMath.Exp"/> takes twenty.
/// </summary>
/// <remarks>
/// The power is rounded before: the relative error is at most (2 + |x|)·2⁻²³, which 16-bit formats do not see as long as
/// the result is not 0 in them.
/// </remarks>
internal static class FastExponential
{
    private const float BinaryLogarithmOfE = 1.442695f;

    public static float Of(float value)
    {
        CudaAsm.Emit("ex2.approx.f32 %0, %1;", out float power, value * BinaryLogarithmOfE);
        return power;
    }
}

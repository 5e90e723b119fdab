using ILGPU.Algorithms;

namespace SapaGpu.Kernels.Numerics;

/// <summary>
/// Exponential and logarithm by the device's own functions of base 2, for maps of 16-bit types: on CUDA an instruction and a
/// multiplication, where <see cref="SingleMath.Exp"/> takes twenty.
/// </summary>
/// <remarks>
/// The relative error of the exponential is at most (2 + |x|)·2⁻²³ on CUDA, whose <c>ex2.approx.f32</c> is within 2⁻²², and
/// (3 + |x|)·2⁻²³ on OpenCL, whose <c>exp2</c> is within 3 units in the last place; |x| comes from the rounded product. That
/// of the logarithm of a number of at least 1 is at most 2⁻²¹·max(1, log x), not of the result but absolute. 16-bit
/// formats do not see either.
/// </remarks>
internal static class NarrowMath
{
    private const float Ln2 = 0.693147181f;

    /// <summary>The exponential of a value of at most 88; NaN stays NaN.</summary>
    public static float Exp(float value) => XMath.Exp2(value * SingleMath.Log2E);

    /// <summary>The natural logarithm of a positive value.</summary>
    public static float Log(float value) => XMath.Log2(value) * Ln2;
}

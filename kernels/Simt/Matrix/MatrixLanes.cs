using ILGPU.Runtime.Cuda;

namespace SapaGpu.Kernels.Simt;

/// <summary>What the four lanes that share a row of a product have together. All lanes of a warp call together.</summary>
internal static class MatrixLanes
{
    /// <summary>The largest that they have; a number where one of them has none.</summary>
    public static float LargestOfFour(float value)
    {
        value = Larger(value, OfLane(value, 1));
        return Larger(value, OfLane(value, 2));
    }

    /// <summary>The sum of what they have.</summary>
    public static float SumOfFour(float value)
    {
        value += OfLane(value, 1);
        return value + OfLane(value, 2);
    }

    private static float Larger(float largest, float score) => !(score <= largest) ? score : largest;

    // That of the lane whose number differs in some bits.
    private static float OfLane(float value, int bits)
    {
        CudaAsm.Emit("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;", out float other, value, bits);
        return other;
    }
}

using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Multiply-adds in registers, eight independent chains a thread: the arithmetic limit of a GPU in single precision.
/// </summary>
internal readonly struct MultiplyAddKernel : IKernel<ProbeParameters>
{
    private const int Chains = 8;
    private const int Unrolled = 4;

    public static int GroupSize => 128;

    /// <summary>The operations of a launch.</summary>
    public static double Operations(in ProbeParameters parameters) =>
        2.0 * Chains * Unrolled * parameters.Rounds * GroupCount(in parameters) * GroupSize;

    public static long GroupCount(in ProbeParameters parameters) => (parameters.Workers + GroupSize - 1) / GroupSize;

    public static void Execute(in ProbeParameters parameters)
    {
        int worker = Grid.IdxX * Group.DimX + Group.IdxX;
        float factor = 1.0f - 1e-7f * worker;
        const float Term = 1e-3f;
        float a = worker, b = a + 1, c = a + 2, d = a + 3, e = a + 4, f = a + 5, g = a + 6, h = a + 7;
        for (int round = 0; round < parameters.Rounds; round++)
        {
            a = a * factor + Term;
            b = b * factor + Term;
            c = c * factor + Term;
            d = d * factor + Term;
            e = e * factor + Term;
            f = f * factor + Term;
            g = g * factor + Term;
            h = h * factor + Term;
            a = a * factor + Term;
            b = b * factor + Term;
            c = c * factor + Term;
            d = d * factor + Term;
            e = e * factor + Term;
            f = f * factor + Term;
            g = g * factor + Term;
            h = h * factor + Term;
            a = a * factor + Term;
            b = b * factor + Term;
            c = c * factor + Term;
            d = d * factor + Term;
            e = e * factor + Term;
            f = f * factor + Term;
            g = g * factor + Term;
            h = h * factor + Term;
            a = a * factor + Term;
            b = b * factor + Term;
            c = c * factor + Term;
            d = d * factor + Term;
            e = e * factor + Term;
            f = f * factor + Term;
            g = g * factor + Term;
            h = h * factor + Term;
        }
        if (worker < parameters.Workers)
            parameters.Result[worker] = a + b + c + d + e + f + g + h;
    }
}

using ILGPU.Runtime.Cuda;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// What a warp reads of shared memory for its matrix units, and how it turns what they leave. All lanes call together.
/// </summary>
internal static class MatrixMemory
{
    /// <summary>
    /// The address of what a group allocates first in shared memory, in bytes: this is the name that ILGPU gives it.
    /// </summary>
    public static uint FirstAllocation()
    {
        CudaAsm.Emit("mov.u32 %0, __shared_alloca0;", out uint address);
        return address;
    }

    /// <summary>
    /// Reads four blocks of 8 rows of 8 values. Lane l gives the address of row l mod 8 of block l / 8 and gets the pair
    /// in row l / 4 and column 2·(l mod 4) of each block.
    /// </summary>
    public static Pack4<uint> Load(uint address)
    {
        Output<uint> x = default;
        Output<uint> y = default;
        Output<uint> z = default;
        Output<uint> w = default;
        Input<uint> from = address;
        CudaAsm.EmitRef(
            "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];", ref x, ref y, ref z, ref w, ref from);
        return new Pack4<uint> { X = x.Value, Y = y.Value, Z = z.Value, W = w.Value };
    }

    /// <summary>As <see cref="Load"/>, of two blocks: X and Y. Only lanes below 16 give addresses.</summary>
    public static Pack4<uint> LoadTwo(uint address)
    {
        Output<uint> x = default;
        Output<uint> y = default;
        Input<uint> from = address;
        CudaAsm.EmitRef("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];", ref x, ref y, ref from);
        return new Pack4<uint> { X = x.Value, Y = y.Value };
    }

    /// <summary>
    /// As <see cref="Load"/>, the blocks transposed: a lane gets the pair down column l / 4 from row 2·(l mod 4).
    /// </summary>
    public static Pack4<uint> LoadTransposed(uint address)
    {
        Output<uint> x = default;
        Output<uint> y = default;
        Output<uint> z = default;
        Output<uint> w = default;
        Input<uint> from = address;
        CudaAsm.EmitRef(
            "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];",
            ref x,
            ref y,
            ref z,
            ref w,
            ref from);
        return new Pack4<uint> { X = x.Value, Y = y.Value, Z = z.Value, W = w.Value };
    }

    /// <summary>Transposes a block of 8 × 8 values, of which a lane has the pair that <see cref="Load"/> gives.</summary>
    public static uint Transpose(uint pair)
    {
        CudaAsm.Emit("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;", out uint transposed, pair);
        return transposed;
    }

    /// <summary>The lower halves of two words, that of the first below.</summary>
    public static uint LowHalves(uint first, uint second)
    {
        CudaAsm.Emit("prmt.b32 %0, %1, %2, 0x5410;", out uint halves, first, second);
        return halves;
    }

    /// <summary>The upper halves of two words, that of the first below.</summary>
    public static uint HighHalves(uint first, uint second)
    {
        CudaAsm.Emit("prmt.b32 %0, %1, %2, 0x7632;", out uint halves, first, second);
        return halves;
    }

    /// <summary>Whether a condition holds for any lane of the warp.</summary>
    public static bool IsAny(bool condition)
    {
        uint own = condition ? 1u : 0u;
        CudaAsm.Emit(
            "{ .reg .pred p; setp.ne.u32 p, %1, 0; vote.sync.any.pred p, p, 0xffffffff; selp.u32 %0, 1, 0, p; }",
            out uint any,
            own);
        return any != 0;
    }
}

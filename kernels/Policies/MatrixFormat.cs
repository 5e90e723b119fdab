using ILGPU.Runtime.Cuda;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Policies;

/// <summary>
/// A 16-bit format that the matrix units of CUDA devices take, from compute capability 8.0 on: products of 16 × 16 and
/// 16 × 8 values, added in single precision. The 32 lanes of a warp share every operand and call together.
/// </summary>
/// <remarks>
/// Of a lane, r = lane / 4 and c = 2·(lane mod 4) say what it holds. Of the first factor: the pairs that begin in column
/// c of rows r and r + 8, then those of column c + 8. Of the second: the pairs down column r from rows c and c + 8. Of
/// the sums: X and Y in row r, Z and W in row r + 8, from column c.
/// </remarks>
internal interface IMatrixFormat
{
    /// <summary>Adds a product.</summary>
    static abstract void MultiplyAdd(ref Pack4<float> sums, in Pack4<uint> first, uint upper, uint lower);

    /// <summary>Adds a product of eight columns of the first factor, those of its pairs that begin in column c.</summary>
    static abstract void MultiplyAddHalf(ref Pack4<float> sums, uint upper, uint lower, uint second);

    /// <summary>Rounds two values to a pair.</summary>
    static abstract uint Pair(float low, float high);

    /// <summary>Widens a stored value.</summary>
    static abstract float Widen(ushort value);
}

/// <summary>IEEE half precision.</summary>
internal readonly struct Float16Matrix : IMatrixFormat
{
    public static void MultiplyAdd(ref Pack4<float> sums, in Pack4<uint> first, uint upper, uint lower)
    {
        Ref<float> x = sums.X;
        Ref<float> y = sums.Y;
        Ref<float> z = sums.Z;
        Ref<float> w = sums.W;
        Input<uint> a0 = first.X;
        Input<uint> a1 = first.Y;
        Input<uint> a2 = first.Z;
        Input<uint> a3 = first.W;
        Input<uint> b0 = upper;
        Input<uint> b1 = lower;
        CudaAsm.EmitRef(
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};",
            ref x,
            ref y,
            ref z,
            ref w,
            ref a0,
            ref a1,
            ref a2,
            ref a3,
            ref b0,
            ref b1);
        sums = new Pack4<float> { X = x.Value, Y = y.Value, Z = z.Value, W = w.Value };
    }

    public static void MultiplyAddHalf(ref Pack4<float> sums, uint upper, uint lower, uint second)
    {
        Ref<float> x = sums.X;
        Ref<float> y = sums.Y;
        Ref<float> z = sums.Z;
        Ref<float> w = sums.W;
        Input<uint> a0 = upper;
        Input<uint> a1 = lower;
        Input<uint> b0 = second;
        CudaAsm.EmitRef(
            "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};",
            ref x,
            ref y,
            ref z,
            ref w,
            ref a0,
            ref a1,
            ref b0);
        sums = new Pack4<float> { X = x.Value, Y = y.Value, Z = z.Value, W = w.Value };
    }

    public static uint Pair(float low, float high)
    {
        CudaAsm.Emit("cvt.rn.f16x2.f32 %0, %1, %2;", out uint pair, high, low);
        return pair;
    }

    public static float Widen(ushort value) => Float16NativeElement.Load(value);
}

/// <summary>The upper half of single precision.</summary>
internal readonly struct BFloat16Matrix : IMatrixFormat
{
    public static void MultiplyAdd(ref Pack4<float> sums, in Pack4<uint> first, uint upper, uint lower)
    {
        Ref<float> x = sums.X;
        Ref<float> y = sums.Y;
        Ref<float> z = sums.Z;
        Ref<float> w = sums.W;
        Input<uint> a0 = first.X;
        Input<uint> a1 = first.Y;
        Input<uint> a2 = first.Z;
        Input<uint> a3 = first.W;
        Input<uint> b0 = upper;
        Input<uint> b1 = lower;
        CudaAsm.EmitRef(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};",
            ref x,
            ref y,
            ref z,
            ref w,
            ref a0,
            ref a1,
            ref a2,
            ref a3,
            ref b0,
            ref b1);
        sums = new Pack4<float> { X = x.Value, Y = y.Value, Z = z.Value, W = w.Value };
    }

    public static void MultiplyAddHalf(ref Pack4<float> sums, uint upper, uint lower, uint second)
    {
        Ref<float> x = sums.X;
        Ref<float> y = sums.Y;
        Ref<float> z = sums.Z;
        Ref<float> w = sums.W;
        Input<uint> a0 = upper;
        Input<uint> a1 = lower;
        Input<uint> b0 = second;
        CudaAsm.EmitRef(
            "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};",
            ref x,
            ref y,
            ref z,
            ref w,
            ref a0,
            ref a1,
            ref b0);
        sums = new Pack4<float> { X = x.Value, Y = y.Value, Z = z.Value, W = w.Value };
    }

    public static uint Pair(float low, float high)
    {
        CudaAsm.Emit("cvt.rn.bf16x2.f32 %0, %1, %2;", out uint pair, high, low);
        return pair;
    }

    public static float Widen(ushort value) => BFloat16NativeElement.Load(value);
}

/// <summary>A format of matrix units as an element type.</summary>
internal readonly struct MatrixElement<TMatrix> : IElement<ushort, float>
    where TMatrix : struct, IMatrixFormat
{
    public static int SharedCapacity => Float32Element.SharedCapacity;

    public static float Load(ushort value) => TMatrix.Widen(value);

    public static ushort Store(float value) => (ushort)TMatrix.Pair(value, 0);

    public static float FromCount(int count) => count;

    public static int Floor(float value) => Float32Element.Floor(value);

    public static float Exp(float value) => NarrowMath.Exp(value);

    public static float Log(float value) => NarrowMath.Log(value);

    public static bool IsNegativeZero(float value) => SingleMath.IsNegativeZero(value);

    public static float Sin(float value) => SingleMath.Sin(value);

    public static float Cos(float value) => SingleMath.Cos(value);
}

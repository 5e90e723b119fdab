using System.Numerics;
using ILGPU;
using ILGPU.Runtime.Cuda;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Policies;

/// <summary>
/// An element type of a map: how a value is stored and in which type it is accumulated. Kernels take it as a type
/// parameter, so that a 16-bit storage type is one more implementation of this interface and no further kernel.
/// </summary>
/// <typeparam name="TStorage">The type in memory.</typeparam>
/// <typeparam name="TReal">The type of the arithmetic: float for storage of up to 32 bits, else double.</typeparam>
internal interface IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>
    /// Gets how many accumulators a thread group may keep in shared memory, 32 KiB in all, which leaves every device
    /// at least one resident group.
    /// </summary>
    static abstract int SharedCapacity { get; }

    /// <summary>Widens a stored value.</summary>
    static abstract TReal Load(TStorage value);

    /// <summary>Rounds an accumulator to the storage type.</summary>
    static abstract TStorage Store(TReal value);

    /// <summary>Converts a count.</summary>
    static abstract TReal FromCount(int count);

    /// <summary>The largest whole number that is not larger than a value in the range of int.</summary>
    static abstract int Floor(TReal value);

    /// <summary>The exponential of a value that is not larger than about 1, as a shifted softmax asks for it.</summary>
    static abstract TReal Exp(TReal value);

    /// <summary>The natural logarithm of a value of at least 1, as a sum of shifted exponentials is.</summary>
    static abstract TReal Log(TReal value);

    /// <summary>Whether a value is −0, which is equal to 0.</summary>
    static abstract bool IsNegativeZero(TReal value);

    /// <summary>The sine of an angle of at most some thousand radians.</summary>
    static abstract TReal Sin(TReal value);

    /// <summary>The cosine of an angle of at most some thousand radians.</summary>
    static abstract TReal Cos(TReal value);
}

/// <summary>IEEE single precision, accumulated in single precision.</summary>
internal readonly struct Float32Element : IElement<float, float>
{
    public static int SharedCapacity => 8192;

    public static float Load(float value) => value;

    public static float Store(float value) => value;

    public static float FromCount(int count) => count;

    public static int Floor(float value) => (int)MathF.Floor(value);

    public static float Exp(float value) => SingleMath.Exp(value);

    public static float Log(float value) => SingleMath.Log(value);

    public static bool IsNegativeZero(float value) => SingleMath.IsNegativeZero(value);

    public static float Sin(float value) => SingleMath.Sin(value);

    public static float Cos(float value) => SingleMath.Cos(value);
}

/// <summary>IEEE half precision, held as its bits and accumulated in single precision.</summary>
/// <remarks>The conversion is integer arithmetic, so that devices without the type run the same kernels.</remarks>
internal readonly struct Float16Element : IElement<ushort, float>
{
    public static int SharedCapacity => Float32Element.SharedCapacity;

    public static float Load(ushort value) => NarrowFloat.FromHalf(value);

    public static ushort Store(float value) => NarrowFloat.ToHalf(value);

    public static float FromCount(int count) => count;

    public static int Floor(float value) => (int)MathF.Floor(value);

    public static float Exp(float value) => NarrowMath.Exp(value);

    public static float Log(float value) => NarrowMath.Log(value);

    public static bool IsNegativeZero(float value) => SingleMath.IsNegativeZero(value);

    public static float Sin(float value) => SingleMath.Sin(value);

    public static float Cos(float value) => SingleMath.Cos(value);
}

/// <summary>
/// <see cref="Float16Element"/> for devices with instructions that convert: every NVIDIA GPU has them, and ILGPU makes
/// them of its own type.
/// </summary>
internal readonly struct Float16NativeElement : IElement<ushort, float>
{
    public static int SharedCapacity => Float32Element.SharedCapacity;

    public static float Load(ushort value) => Interop.IntAsFloat(value);

    public static ushort Store(float value) => Interop.FloatAsInt((ILGPU.Half)value);

    public static float FromCount(int count) => count;

    public static int Floor(float value) => (int)MathF.Floor(value);

    public static float Exp(float value) => NarrowMath.Exp(value);

    public static float Log(float value) => NarrowMath.Log(value);

    public static bool IsNegativeZero(float value) => SingleMath.IsNegativeZero(value);

    public static float Sin(float value) => SingleMath.Sin(value);

    public static float Cos(float value) => SingleMath.Cos(value);
}

/// <summary>The upper half of single precision, held as its bits and accumulated in single precision.</summary>
internal readonly struct BFloat16Element : IElement<ushort, float>
{
    public static int SharedCapacity => Float32Element.SharedCapacity;

    public static float Load(ushort value) => NarrowFloat.FromBFloat16(value);

    public static ushort Store(float value) => NarrowFloat.ToBFloat16(value);

    public static float FromCount(int count) => count;

    public static int Floor(float value) => (int)MathF.Floor(value);

    public static float Exp(float value) => NarrowMath.Exp(value);

    public static float Log(float value) => NarrowMath.Log(value);

    public static bool IsNegativeZero(float value) => SingleMath.IsNegativeZero(value);

    public static float Sin(float value) => SingleMath.Sin(value);

    public static float Cos(float value) => SingleMath.Cos(value);
}

/// <summary>
/// <see cref="BFloat16Element"/> for devices with an instruction that rounds: NVIDIA GPUs of compute capability 8.0 on.
/// </summary>
internal readonly struct BFloat16NativeElement : IElement<ushort, float>
{
    public static int SharedCapacity => Float32Element.SharedCapacity;

    public static float Load(ushort value) => NarrowFloat.FromBFloat16(value);

    public static ushort Store(float value)
    {
        CudaAsm.Emit("cvt.rn.bf16.f32 %0, %1;", out ushort rounded, value);
        return rounded;
    }

    public static float FromCount(int count) => count;

    public static int Floor(float value) => (int)MathF.Floor(value);

    public static float Exp(float value) => NarrowMath.Exp(value);

    public static float Log(float value) => NarrowMath.Log(value);

    public static bool IsNegativeZero(float value) => SingleMath.IsNegativeZero(value);

    public static float Sin(float value) => SingleMath.Sin(value);

    public static float Cos(float value) => SingleMath.Cos(value);
}

/// <summary>IEEE double precision, accumulated in double precision.</summary>
internal readonly struct Float64Element : IElement<double, double>
{
    public static int SharedCapacity => 4096;

    public static double Load(double value) => value;

    public static double Store(double value) => value;

    public static double FromCount(int count) => count;

    public static int Floor(double value) => (int)Math.Floor(value);

    public static double Exp(double value) => DoubleMath.Exp(value);

    public static double Log(double value) => DoubleMath.Log(value);

    public static bool IsNegativeZero(double value) => DoubleMath.IsNegativeZero(value);

    public static double Sin(double value) => DoubleMath.Sin(value);

    public static double Cos(double value) => DoubleMath.Cos(value);
}

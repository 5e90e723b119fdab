using System.Numerics;
using System.Runtime.InteropServices;

namespace SapaGpu.Kernels.Numerics;

/// <summary>Four values that move together: one 128-bit access for single precision.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Pack4<T>
    where T : unmanaged
{
    /// <summary>The first value.</summary>
    public T X;

    /// <summary>The second value.</summary>
    public T Y;

    /// <summary>The third value.</summary>
    public T Z;

    /// <summary>The fourth value.</summary>
    public T W;
}

/// <summary>Arithmetic on <see cref="Pack4{T}"/>.</summary>
internal static class Pack4
{
    /// <summary>Returns a·b + c with one factor for all four.</summary>
    public static Pack4<T> MultiplyAdd<T>(T a, in Pack4<T> b, in Pack4<T> c)
        where T : unmanaged, INumber<T> => new()
        {
            X = a * b.X + c.X,
            Y = a * b.Y + c.Y,
            Z = a * b.Z + c.Z,
            W = a * b.W + c.W,
        };

    /// <summary>Returns sum + ⟨a, b⟩, the products added one by one, so that each can be joined with its addition.</summary>
    public static T AddDot<T>(in Pack4<T> a, in Pack4<T> b, T sum)
        where T : unmanaged, INumber<T>
    {
        sum += a.X * b.X;
        sum += a.Y * b.Y;
        sum += a.Z * b.Z;
        sum += a.W * b.W;
        return sum;
    }

    /// <summary>Adds a·b, with one factor for all four.</summary>
    public static void Add<T>(ref Pack4<T> sum, T a, in Pack4<T> b)
        where T : unmanaged, INumber<T>
    {
        sum.X += a * b.X;
        sum.Y += a * b.Y;
        sum.Z += a * b.Z;
        sum.W += a * b.W;
    }

    /// <summary>Returns the inner product.</summary>
    public static T Dot<T>(in Pack4<T> a, in Pack4<T> b)
        where T : unmanaged, INumber<T> => a.X * b.X + a.Y * b.Y + a.Z * b.Z + a.W * b.W;
}

using System.Runtime.InteropServices;

namespace SapaGpu.Kernels.Numerics;

/// <summary>Two values that move together: one 64-bit access for single precision.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Pack2<T>
    where T : unmanaged
{
    /// <summary>The first value.</summary>
    public T X;

    /// <summary>The second value.</summary>
    public T Y;
}

using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace SapaGpu.Devices;

/// <summary>Typed views of buffers that are allocated in bytes.</summary>
internal static class MemoryBufferViews
{
    /// <summary>A number of elements from a position in bytes, which is a multiple of the element.</summary>
    public static ArrayView<T> View<T>(this MemoryBuffer buffer, long offsetBytes, long length)
        where T : unmanaged =>
        new ArrayView<byte>(buffer, offsetBytes, length * Unsafe.SizeOf<T>()).Cast<T>();
}

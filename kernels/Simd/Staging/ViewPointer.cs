using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace SapaGpu.Kernels.Simd;

/// <summary>The address of a view of host memory, for loops that the indexer of a view would slow down.</summary>
internal static unsafe class ViewPointer
{
    /// <summary>The address of the first element of a view that has one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T* Of<T>(ArrayView<T> view)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref view.LoadEffectiveAddress());
}

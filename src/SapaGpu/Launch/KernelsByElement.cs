using SapaGpu.Kernels.Policies;

namespace SapaGpu.Launch;

/// <summary>
/// The kernels of an operator for each element type; an open class of (element, storage, accumulator) is closed.
/// </summary>
/// <typeparam name="TKernels">The operator, whatever the element type.</typeparam>
internal sealed class KernelsByElement<TKernels>(Type openKernels)
    where TKernels : class
{
    private readonly Lazy<TKernels> float32 = Close<Float32Element, float, float>(openKernels);
    private readonly Lazy<TKernels> float64 = Close<Float64Element, double, double>(openKernels);
    private readonly Lazy<TKernels> float16 = Close<Float16Element, ushort, float>(openKernels);
    private readonly Lazy<TKernels> bfloat16 = Close<BFloat16Element, ushort, float>(openKernels);

    public TKernels this[ElementType elementType] => elementType switch
    {
        ElementType.Float32 => float32.Value,
        ElementType.Float64 => float64.Value,
        ElementType.Float16 => float16.Value,
        ElementType.BFloat16 => bfloat16.Value,
        _ => throw new ArgumentOutOfRangeException(nameof(elementType), elementType, "There are no kernels."),
    };

    private static Lazy<TKernels> Close<TElement, TStorage, TReal>(Type open) => new(() =>
        (TKernels)Activator.CreateInstance(
            open.MakeGenericType(typeof(TElement), typeof(TStorage), typeof(TReal)))!);
}

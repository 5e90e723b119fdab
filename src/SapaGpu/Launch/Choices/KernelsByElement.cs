using System.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Launch;

/// <summary>Makes the kernels of an operator for an element type.</summary>
internal interface IKernelFactory<out TKernels>
{
    /// <summary>Makes them.</summary>
    /// <typeparam name="TElement">The element type.</typeparam>
    /// <typeparam name="TStorage">The type in memory.</typeparam>
    /// <typeparam name="TReal">The type that is computed in.</typeparam>
    /// <typeparam name="TRealElement">That type as an element type.</typeparam>
    TKernels Create<TElement, TStorage, TReal, TRealElement>(ElementArithmetic<TStorage, TReal> arithmetic)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TRealElement : struct, IElement<TReal, TReal>;
}

/// <summary>The kernels of an operator for each element type, made when they are first asked for.</summary>
internal sealed class KernelsByElement<TKernels, TFactory>
    where TKernels : class
    where TFactory : struct, IKernelFactory<TKernels>
{
    private readonly Lazy<TKernels> float32 = new(
        () => default(TFactory).Create<Float32Element, float, float, Float32Element>(new PlainArithmetic<float>()));

    private readonly Lazy<TKernels> float64 = new(
        () => default(TFactory).Create<Float64Element, double, double, Float64Element>(new PlainArithmetic<double>()));

    private readonly Lazy<TKernels> float16 = new(() => default(TFactory)
        .Create<Float16Element, ushort, float, Float32Element>(new NarrowArithmetic<Float16Element>()));

    private readonly Lazy<TKernels> bfloat16 = new(() => default(TFactory)
        .Create<BFloat16Element, ushort, float, Float32Element>(new NarrowArithmetic<BFloat16Element>()));

    private readonly Lazy<TKernels> float16Native = new(() => default(TFactory)
        .Create<Float16NativeElement, ushort, float, Float32Element>(new NarrowArithmetic<Float16NativeElement>()));

    private readonly Lazy<TKernels> bfloat16Native = new(() => default(TFactory)
        .Create<BFloat16NativeElement, ushort, float, Float32Element>(new NarrowArithmetic<BFloat16NativeElement>()));

    /// <summary>The kernels for the element type and the device of a map.</summary>
    public TKernels For(FeatureMap map) => map.ElementType switch
    {
        ElementType.Float32 => float32.Value,
        ElementType.Float64 => float64.Value,
        ElementType.Float16 => (map.Device.Backend.ConvertsHalf ? float16Native : float16).Value,
        ElementType.BFloat16 => (map.Device.Backend.RoundsBFloat16 ? bfloat16Native : bfloat16).Value,
        _ => throw new ArgumentOutOfRangeException(
            nameof(map), map.ElementType, "There are no kernels for this element type."),
    };
}

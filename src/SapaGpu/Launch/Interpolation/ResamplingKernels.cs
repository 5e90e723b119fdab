using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>Interpolation, pixel shuffle and conversion on tensors of one element type, arguments checked.</summary>
internal abstract class ResamplingKernels
{
    private static readonly KernelsByElement<ResamplingKernels> Known = new(typeof(ResamplingKernels<,,>));

    /// <summary>The operators of an element type.</summary>
    public static ResamplingKernels For(ElementType elementType) => Known[elementType];

    /// <summary>Brings a map to the size of another.</summary>
    public abstract void Interpolate(InterpolationMode mode, bool alignCorners, Tensor input, Tensor output);

    /// <summary>The adjoint: the gradient of the input from that of the output.</summary>
    public abstract void InterpolateBackward(
        InterpolationMode mode, bool alignCorners, Tensor gradOutput, Tensor gradInput);

    /// <summary>Pixel shuffle by a ratio from [B, C·s², H, W] to [B, C, s·H, s·W], or back.</summary>
    public abstract void Shuffle(int scale, bool inverse, Tensor source, Tensor result);

    /// <summary>Copies a map to another of the same shape.</summary>
    public abstract void Copy(Tensor source, Tensor result);

    /// <summary>Adds a map to another of the same shape.</summary>
    public abstract void Add(Tensor source, Tensor result);

    /// <summary>Copies into the accumulator's type.</summary>
    public abstract void Widen(Tensor source, Tensor result);

    /// <summary>Copies from the accumulator's type.</summary>
    public abstract void Narrow(Tensor source, Tensor result);
}

/// <summary>Resampling with the element type's accumulator.</summary>
internal sealed class ResamplingKernels<TElement, TStorage, TAccumulator> : ResamplingKernels
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    private static readonly Type Wide =
        typeof(TAccumulator) == typeof(double) ? typeof(Float64Element) : typeof(Float32Element);

    private readonly VariantTable<InterpolationParameters<TStorage>> nearest =
        Interpolations<NearestSampling>();

    private readonly VariantTable<InterpolationParameters<TStorage>> nearestAdjoint =
        Adjoints<NearestSampling>();

    private readonly VariantTable<InterpolationParameters<TStorage>> linear =
        Interpolations<LinearSampling>();

    private readonly VariantTable<InterpolationParameters<TStorage>> linearAdjoint =
        Adjoints<LinearSampling>();

    private readonly VariantTable<ConversionParameters<TStorage, TStorage>> copy =
        Copies<TStorage, TStorage>(typeof(TElement), typeof(TElement));

    private readonly VariantTable<ConversionParameters<TStorage, TAccumulator>> widen =
        Copies<TStorage, TAccumulator>(typeof(TElement), Wide);

    private readonly VariantTable<ConversionParameters<TAccumulator, TStorage>> narrow =
        Copies<TAccumulator, TStorage>(Wide, typeof(TElement));

    public override void Interpolate(InterpolationMode mode, bool alignCorners, Tensor input, Tensor output) =>
        Launch(
            mode == InterpolationMode.Nearest ? nearest : linear,
            input,
            output,
            Parameters(alignCorners, input.Shape, output.Shape, input, output));

    public override void InterpolateBackward(
        InterpolationMode mode, bool alignCorners, Tensor gradOutput, Tensor gradInput) =>
        Launch(
            mode == InterpolationMode.Nearest ? nearestAdjoint : linearAdjoint,
            gradOutput,
            gradInput,
            Parameters(alignCorners, gradInput.Shape, gradOutput.Shape, gradOutput, gradInput));

    public override void Shuffle(int scale, bool inverse, Tensor source, Tensor result) =>
        copy.Launch(source.Device, Copy<TStorage, TStorage>(source, result) with
        {
            Scale = scale,
            Inverse = inverse ? 1 : 0,
        });

    public override void Copy(Tensor source, Tensor result) =>
        copy.Launch(source.Device, Copy<TStorage, TStorage>(source, result));

    public override void Add(Tensor source, Tensor result) =>
        copy.Launch(source.Device, Copy<TStorage, TStorage>(source, result) with { Accumulate = 1 });

    public override void Widen(Tensor source, Tensor result) =>
        widen.Launch(source.Device, Copy<TStorage, TAccumulator>(source, result));

    public override void Narrow(Tensor source, Tensor result) =>
        narrow.Launch(source.Device, Copy<TAccumulator, TStorage>(source, result));

    private static VariantTable<InterpolationParameters<TStorage>> Interpolations<TSampling>()
        where TSampling : struct, ISampling => new(variant => variant.VectorBits > 0
            ? KernelVariants.Tiles<InterpolationParameters<TStorage>>(
                typeof(InterpolationProgram<,,,,>), [.. Simd(variant), typeof(TSampling)])
            : KernelVariants.Group<InterpolationParameters<TStorage>>(
                typeof(Interpolation<,,,,>), Group(variant, typeof(TSampling))));

    private static VariantTable<InterpolationParameters<TStorage>> Adjoints<TSampling>()
        where TSampling : struct, ISampling => new(variant => variant.VectorBits > 0
            ? KernelVariants.Tiles<InterpolationParameters<TStorage>>(
                typeof(InterpolationAdjointProgram<,,,,>), [.. Simd(variant), typeof(TSampling)])
            : KernelVariants.Group<InterpolationParameters<TStorage>>(
                typeof(InterpolationAdjoint<,,,,>), Group(variant, typeof(TSampling))));

    private static VariantTable<ConversionParameters<TSource, TResult>> Copies<TSource, TResult>(
        Type sourceElement, Type resultElement)
        where TSource : unmanaged
        where TResult : unmanaged => new(variant =>
        {
            var wide = typeof(TAccumulator);
            if (variant.VectorBits == 0)
            {
                return KernelVariants.Group<ConversionParameters<TSource, TResult>>(
                    typeof(MapKernel<,>),
                    typeof(Conversion<,,,,>).MakeGenericType(
                        sourceElement, typeof(TSource), resultElement, typeof(TResult), wide),
                    typeof(ConversionParameters<TSource, TResult>));
            }
            var source = KernelVariants.SimdArguments<TElement, TSource, TAccumulator>(variant);
            var result = KernelVariants.SimdArguments<TElement, TResult, TAccumulator>(variant);
            return KernelVariants.Tiles<ConversionParameters<TSource, TResult>>(
                typeof(CopyProgram<,,,,,>), source[0], typeof(TSource), result[0], typeof(TResult), wide, source[3]);
        });

    private static void Launch(
        VariantTable<InterpolationParameters<TStorage>> table,
        Tensor source,
        Tensor result,
        in InterpolationParameters<TStorage> parameters)
    {
        bool vectors = Pack4Layout.Fits(source) && Pack4Layout.Fits(result);
        table[KernelVariant.Choose(source.Device, vectors, vectors)].Launch(source.Device.Launcher, in parameters);
    }

    private static Type[] Group(KernelVariant variant, Type sampling) =>
        [typeof(TElement), typeof(TStorage), typeof(TAccumulator), sampling, KernelVariants.Access(variant.ValueVectors)];

    private static Type[] Simd(KernelVariant variant) =>
        KernelVariants.SimdArguments<TElement, TStorage, TAccumulator>(variant);

    private static InterpolationParameters<TStorage> Parameters(
        bool alignCorners, TensorShape input, TensorShape output, Tensor source, Tensor result) => new()
        {
            Batch = input.Batch,
            Channels = input.Channels,
            Rows = new() { Input = input.Height, Output = output.Height, AlignCorners = alignCorners ? 1 : 0 },
            Columns = new() { Input = input.Width, Output = output.Width, AlignCorners = alignCorners ? 1 : 0 },
            Source = source.Map<TStorage>(),
            Result = result.Map<TStorage>(),
        };

    private static ConversionParameters<TSource, TResult> Copy<TSource, TResult>(Tensor source, Tensor result)
        where TSource : unmanaged
        where TResult : unmanaged => new()
        {
            Batch = result.Shape.Batch,
            Channels = result.Shape.Channels,
            Height = result.Shape.Height,
            Width = result.Shape.Width,
            Scale = 1,
            Source = source.Map<TSource>(),
            Result = result.Map<TResult>(),
        };
}

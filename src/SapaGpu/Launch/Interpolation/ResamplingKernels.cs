using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>Interpolation, pixel shuffle and conversion on maps of one element type, arguments checked.</summary>
internal abstract class ResamplingKernels
{
    private static readonly KernelsByElement<ResamplingKernels> Known = new(typeof(ResamplingKernels<,,>));

    /// <summary>The operators of an element type.</summary>
    public static ResamplingKernels For(ElementType elementType) => Known[elementType];

    /// <summary>Brings a map to the size of another.</summary>
    public abstract void Resample(InterpolationMode mode, bool alignCorners, FeatureMap input, FeatureMap output);

    /// <summary>The adjoint: the gradient of the input from that of the output.</summary>
    public abstract void ResampleBackward(
        InterpolationMode mode, bool alignCorners, FeatureMap gradOutput, FeatureMap gradInput);

    /// <summary>Pixel shuffle by a ratio from [B, C·s², H, W] to [B, C, s·H, s·W], or back.</summary>
    public abstract void Shuffle(int scale, bool inverse, FeatureMap source, FeatureMap result);

    /// <summary>Copies a map to another of the same shape.</summary>
    public abstract void Copy(FeatureMap source, FeatureMap result);

    /// <summary>Adds a map to another of the same shape.</summary>
    public abstract void Add(FeatureMap source, FeatureMap result);

    /// <summary>Copies into the accumulator's type.</summary>
    public abstract void Widen(FeatureMap source, FeatureMap result);

    /// <summary>Copies from the accumulator's type.</summary>
    public abstract void Narrow(FeatureMap source, FeatureMap result);
}

/// <summary>Resampling with the element type's accumulator.</summary>
internal sealed class ResamplingKernels<TElement, TStorage, TReal> : ResamplingKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private static readonly Type Wide =
        typeof(TReal) == typeof(double) ? typeof(Float64Element) : typeof(Float32Element);

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

    private readonly VariantTable<ConversionParameters<TStorage, TReal>> widen =
        Copies<TStorage, TReal>(typeof(TElement), Wide);

    private readonly VariantTable<ConversionParameters<TReal, TStorage>> narrow =
        Copies<TReal, TStorage>(Wide, typeof(TElement));

    public override void Resample(InterpolationMode mode, bool alignCorners, FeatureMap input, FeatureMap output) =>
        Launch(
            mode == InterpolationMode.Nearest ? nearest : linear,
            input,
            output,
            Parameters(alignCorners, input.Shape, output.Shape, input, output));

    public override void ResampleBackward(
        InterpolationMode mode, bool alignCorners, FeatureMap gradOutput, FeatureMap gradInput) =>
        Launch(
            mode == InterpolationMode.Nearest ? nearestAdjoint : linearAdjoint,
            gradOutput,
            gradInput,
            Parameters(alignCorners, gradInput.Shape, gradOutput.Shape, gradOutput, gradInput));

    public override void Shuffle(int scale, bool inverse, FeatureMap source, FeatureMap result) =>
        copy.Launch(source.Device, Copy<TStorage, TStorage>(source, result) with
        {
            Scale = scale,
            Inverse = inverse ? 1 : 0,
        });

    public override void Copy(FeatureMap source, FeatureMap result) =>
        copy.Launch(source.Device, Copy<TStorage, TStorage>(source, result));

    public override void Add(FeatureMap source, FeatureMap result) =>
        copy.Launch(source.Device, Copy<TStorage, TStorage>(source, result) with { Accumulate = 1 });

    public override void Widen(FeatureMap source, FeatureMap result) =>
        widen.Launch(source.Device, Copy<TStorage, TReal>(source, result));

    public override void Narrow(FeatureMap source, FeatureMap result) =>
        narrow.Launch(source.Device, Copy<TReal, TStorage>(source, result));

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
            var wide = typeof(TReal);
            if (variant.VectorBits == 0)
            {
                return KernelVariants.Group<ConversionParameters<TSource, TResult>>(
                    typeof(MapKernel<,>),
                    typeof(Conversion<,,,,>).MakeGenericType(
                        sourceElement, typeof(TSource), resultElement, typeof(TResult), wide),
                    typeof(ConversionParameters<TSource, TResult>));
            }
            var source = KernelVariants.SimdArguments<TElement, TSource, TReal>(variant);
            var result = KernelVariants.SimdArguments<TElement, TResult, TReal>(variant);
            return KernelVariants.Tiles<ConversionParameters<TSource, TResult>>(
                typeof(CopyProgram<,,,,,>), source[0], typeof(TSource), result[0], typeof(TResult), wide, source[3]);
        });

    private static void Launch(
        VariantTable<InterpolationParameters<TStorage>> table,
        FeatureMap source,
        FeatureMap result,
        in InterpolationParameters<TStorage> parameters)
    {
        bool vectors = Pack4Layout.Fits(source) && Pack4Layout.Fits(result);
        table[KernelVariant.Choose(source.Device, vectors, vectors)].Launch(source.Device.Launcher, in parameters);
    }

    private static Type[] Group(KernelVariant variant, Type sampling) =>
        [typeof(TElement), typeof(TStorage), typeof(TReal), sampling, KernelVariants.Access(variant.ValueVectors)];

    private static Type[] Simd(KernelVariant variant) =>
        KernelVariants.SimdArguments<TElement, TStorage, TReal>(variant);

    private static InterpolationParameters<TStorage> Parameters(
        bool alignCorners, MapShape input, MapShape output, FeatureMap source, FeatureMap result) => new()
        {
            Batch = input.Batch,
            Channels = input.Channels,
            Rows = new() { Input = input.Height, Output = output.Height, AlignCorners = alignCorners ? 1 : 0 },
            Columns = new() { Input = input.Width, Output = output.Width, AlignCorners = alignCorners ? 1 : 0 },
            Source = source.Map<TStorage>(),
            Result = result.Map<TStorage>(),
        };

    private static ConversionParameters<TSource, TResult> Copy<TSource, TResult>(FeatureMap source, FeatureMap result)
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

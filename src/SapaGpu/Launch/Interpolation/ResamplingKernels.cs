using System.Numerics;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>Interpolation, pixel shuffle and conversion on maps of one element type; callers check arguments.</summary>
internal abstract class ResamplingKernels
{
    private static readonly KernelsByElement<ResamplingKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static ResamplingKernels For(FeatureMap map) => Known.For(map);

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

    /// <summary>Copies or adds into the accumulator's type.</summary>
    public abstract void Widen(FeatureMap source, FeatureMap result, bool accumulate);

    /// <summary>Copies from the accumulator's type.</summary>
    public abstract void Narrow(FeatureMap source, FeatureMap result);

    private readonly struct Factory : IKernelFactory<ResamplingKernels>
    {
        ResamplingKernels IKernelFactory<ResamplingKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new ResamplingKernels<TElement, TStorage, TReal, TRealElement>(arithmetic);
    }
}

/// <summary>Resampling with the element type's accumulator.</summary>
internal sealed class ResamplingKernels<TElement, TStorage, TReal, TRealElement>(
    ElementArithmetic<TStorage, TReal> arithmetic) : ResamplingKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TRealElement : struct, IElement<TReal, TReal>
{
    private readonly VariantTable<InterpolationParameters<TStorage>> nearest = arithmetic.Table(
        new ForwardTiles<NearestSampling>(), new ForwardKernel<NearestSampling>());

    private readonly VariantTable<InterpolationParameters<TStorage>> nearestAdjoint = arithmetic.Table(
        new AdjointTiles<NearestSampling>(), new AdjointKernel<NearestSampling>());

    private readonly VariantTable<InterpolationParameters<TStorage>> linear = arithmetic.Table(
        new ForwardTiles<LinearSampling>(), new ForwardKernel<LinearSampling>());

    private readonly VariantTable<InterpolationParameters<TStorage>> linearAdjoint = arithmetic.Table(
        new AdjointTiles<LinearSampling>(), new AdjointKernel<LinearSampling>());

    private readonly VariantTable<ConversionParameters<TStorage, TStorage>> copy = arithmetic.Table(
        new CopyTiles(), new MapKernelOf<ConversionParameters<TStorage, TStorage>, Conversion<TElement, TStorage, TElement, TStorage, TReal>>());

    private readonly VariantTable<ConversionParameters<TStorage, TReal>> widen = arithmetic.Table(
        new WideningTiles(), new MapKernelOf<ConversionParameters<TStorage, TReal>, Conversion<TElement, TStorage, TRealElement, TReal, TReal>>());

    private readonly VariantTable<ConversionParameters<TReal, TStorage>> narrow = arithmetic.Table(
        new NarrowingTiles(), new MapKernelOf<ConversionParameters<TReal, TStorage>, Conversion<TRealElement, TReal, TElement, TStorage, TReal>>());

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

    public override void Widen(FeatureMap source, FeatureMap result, bool accumulate) => widen.Launch(
        source.Device, Copy<TStorage, TReal>(source, result) with { Accumulate = accumulate ? 1 : 0 });

    public override void Narrow(FeatureMap source, FeatureMap result) =>
        narrow.Launch(source.Device, Copy<TReal, TStorage>(source, result));

    private static void Launch(
        VariantTable<InterpolationParameters<TStorage>> table,
        FeatureMap source,
        FeatureMap result,
        in InterpolationParameters<TStorage> parameters)
    {
        bool vectors = Pack4Layout.Fits(source) && Pack4Layout.Fits(result);
        table[KernelVariant.Choose(source.Device, vectors, vectors)].Launch(source.Device.Launcher, in parameters);
    }

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

    private sealed class ForwardTiles<TSampling> : OpenTiles<TStorage, TReal, InterpolationParameters<TStorage>>
        where TSampling : struct, ISampling
    {
        public override ILaunchable<InterpolationParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<InterpolationProgram<TSimd, TStorage, TReal, TVector, TSampling>, InterpolationParameters<TStorage>>();
    }

    private sealed class ForwardKernel<TSampling> : OpenKernel<InterpolationParameters<TStorage>>
        where TSampling : struct, ISampling
    {
        public override ILaunchable<InterpolationParameters<TStorage>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<Interpolation<TElement, TStorage, TReal, TSampling, TEmbedding>, InterpolationParameters<TStorage>>();
    }

    private sealed class AdjointTiles<TSampling> : OpenTiles<TStorage, TReal, InterpolationParameters<TStorage>>
        where TSampling : struct, ISampling
    {
        public override ILaunchable<InterpolationParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<InterpolationAdjointProgram<TSimd, TStorage, TReal, TVector, TSampling>, InterpolationParameters<TStorage>>();
    }

    private sealed class AdjointKernel<TSampling> : OpenKernel<InterpolationParameters<TStorage>>
        where TSampling : struct, ISampling
    {
        public override ILaunchable<InterpolationParameters<TStorage>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<InterpolationAdjoint<TElement, TStorage, TReal, TSampling, TEmbedding>, InterpolationParameters<TStorage>>();
    }

    private sealed class CopyTiles : OpenTiles<TStorage, TReal, ConversionParameters<TStorage, TStorage>>
    {
        public override ILaunchable<ConversionParameters<TStorage, TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                CopyProgram<TSimd, TStorage, TSimd, TStorage, TReal, TVector>,
                ConversionParameters<TStorage, TStorage>>();
    }

    private sealed class WideningTiles : OpenTiles<TStorage, TReal, ConversionParameters<TStorage, TReal>>
    {
        public override ILaunchable<ConversionParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                CopyProgram<TSimd, TStorage, TStaged, TReal, TReal, TVector>,
                ConversionParameters<TStorage, TReal>>();
    }

    private sealed class NarrowingTiles : OpenTiles<TStorage, TReal, ConversionParameters<TReal, TStorage>>
    {
        public override ILaunchable<ConversionParameters<TReal, TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                CopyProgram<TStaged, TReal, TSimd, TStorage, TReal, TVector>,
                ConversionParameters<TReal, TStorage>>();
    }
}

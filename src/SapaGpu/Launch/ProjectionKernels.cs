using System.Numerics;
using ILGPU;
using SapaGpu.Kernels;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>The projection and its gradients on features of one element type, arguments checked.</summary>
internal abstract class ProjectionKernels
{
    private static readonly KernelsByElement<ProjectionKernels> Known = new(typeof(ProjectionKernels<,,>));

    /// <summary>The operators of an element type.</summary>
    public static ProjectionKernels For(ElementType elementType) => Known[elementType];

    /// <summary>output = W·LayerNorm(input) + bias, written or added; the statistics of a normalisation are written.</summary>
    public abstract void Forward(
        in ProjectionTensors projection, Tensor input, Tensor output, Tensor? statistics, bool accumulate = false);

    /// <summary>The gradient of the input, written or added to what is there.</summary>
    public abstract void BackwardInput(
        in ProjectionTensors projection,
        Tensor input,
        Tensor gradOutput,
        Tensor? statistics,
        Tensor gradInput,
        bool accumulate);

    /// <summary>The gradients of the parameters, in the shapes and strides of the parameters.</summary>
    public abstract void BackwardParameters(
        in ProjectionTensors projection,
        Tensor input,
        Tensor gradOutput,
        Tensor? statistics,
        in ProjectionTensors gradients);
}

/// <summary>The projection with the element type's accumulator.</summary>
internal sealed class ProjectionKernels<TElement, TStorage, TAccumulator> : ProjectionKernels
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    private const int MaximumChunks = 64;
    private const int SmallestChunk = 512;

    private readonly VariantTable<ProjectionParameters<TStorage, TAccumulator>> projections = new(CloseProjection);
    private readonly VariantTable<ProjectionOuterParameters<TStorage, TAccumulator>> outers = new(v =>
        v.VectorBits > 0
            ? KernelVariants.Tiles<ProjectionOuterParameters<TStorage, TAccumulator>>(
                typeof(ProjectionOuterProgram<,,,>), Simd(v))
            : KernelVariants.Group<ProjectionOuterParameters<TStorage, TAccumulator>>(
                typeof(ProjectionOuter<,,>), Element));

    private readonly VariantTable<ProjectionGradientParameters<TAccumulator>> reductions =
        KernelVariants.Maps<ProjectionGradientParameters<TAccumulator>>(typeof(ChunkReduction<TAccumulator>));

    private readonly VariantTable<ProjectionGradientParameters<TAccumulator>> parameterGradients =
        KernelVariants.Maps<ProjectionGradientParameters<TAccumulator>>(typeof(ParameterGradients<TAccumulator>));

    private static Type[] Element => [typeof(TElement), typeof(TStorage), typeof(TAccumulator)];

    public override void Forward(
        in ProjectionTensors projection, Tensor input, Tensor output, Tensor? statistics, bool accumulate)
    {
        var matrix = projection.Weight.Layout;
        Project(in projection, matrix.BatchStride, matrix.ChannelStride, input, output, statistics, accumulate);
    }

    public override void BackwardInput(
        in ProjectionTensors projection,
        Tensor input,
        Tensor gradOutput,
        Tensor? statistics,
        Tensor gradInput,
        bool accumulate)
    {
        // The adjoint of the matrix is the same product with the strides of the matrix exchanged.
        var adjoint = new ProjectionTensors(projection.Weight, null);
        var matrix = projection.Weight.Layout;
        if (projection.NormWeight is null)
        {
            Project(in adjoint, matrix.ChannelStride, matrix.BatchStride, gradOutput, gradInput, null, accumulate);
            return;
        }
        using var normalised = Tensor.Create(input.Device, input.Shape, gradInput.Format, input.ElementType);
        Project(in adjoint, matrix.ChannelStride, matrix.BatchStride, gradOutput, normalised, null, accumulate: false);
        FeatureNormKernels.For(input.ElementType).LayerNormBackward(
            projection.NormWeight, input, normalised, statistics!, gradInput, accumulate);
    }

    public override void BackwardParameters(
        in ProjectionTensors projection,
        Tensor input,
        Tensor gradOutput,
        Tensor? statistics,
        in ProjectionTensors gradients)
    {
        var extent = Extent(input.Shape, gradOutput.Shape.Channels);
        long pixelsPerChunk = Math.Max(SmallestChunk, (extent.Pixels + MaximumChunks - 1) / MaximumChunks);
        int chunks = (int)((extent.Pixels + pixelsPerChunk - 1) / pixelsPerChunk);
        long size = (long)extent.OutputChannels * extent.InputChannels + extent.OutputChannels;
        bool hasNorm = projection.NormWeight is not null;
        var device = input.Device;
        var memory = device.Pool.Rent(chunks * size * Interop.SizeOf<TAccumulator>());
        try
        {
            var partials = memory.View<TAccumulator>(0, chunks * size);
            var outer = new ProjectionOuterParameters<TStorage, TAccumulator>
            {
                Extent = extent,
                Input = input.Map<TStorage>(),
                GradOutput = gradOutput.Map<TStorage>(),
                Statistics = Statistics(statistics, input),
                Partials = partials,
                PixelsPerChunk = checked((int)pixelsPerChunk),
                Chunks = chunks,
                HasNorm = hasNorm ? 1 : 0,
            };
            outers[KernelVariant.Choose(device)].Launch(device.Launcher, in outer);
            var weight = projection.Weight.Elements<TAccumulator>();
            var gradWeight = gradients.Weight.Elements<TAccumulator>();
            var parameters = new ProjectionGradientParameters<TAccumulator>
            {
                InputChannels = extent.InputChannels,
                OutputChannels = extent.OutputChannels,
                Chunks = chunks,
                Partials = partials,
                WeightRowStride = projection.Weight.Layout.BatchStride,
                WeightColumnStride = projection.Weight.Layout.ChannelStride,
                Weight = weight,
                NormWeight = projection.NormWeight?.Elements<TAccumulator>() ?? weight,
                NormBias = projection.NormBias?.Elements<TAccumulator>() ?? weight,
                GradWeight = gradWeight,
                GradBias = gradients.Bias?.Elements<TAccumulator>() ?? gradWeight,
                GradNormWeight = gradients.NormWeight?.Elements<TAccumulator>() ?? gradWeight,
                GradNormBias = gradients.NormBias?.Elements<TAccumulator>() ?? gradWeight,
                HasBias = gradients.Bias is null ? 0 : 1,
                HasNorm = hasNorm ? 1 : 0,
            };
            reductions.Launch(device, in parameters);
            parameterGradients.Launch(device, in parameters);
        }
        finally
        {
            device.Pool.Return(memory);
        }
    }

    private static PointwiseExtent Extent(TensorShape input, int outputChannels) => new()
    {
        Batch = input.Batch,
        Height = input.Height,
        Width = input.Width,
        InputChannels = input.Channels,
        OutputChannels = outputChannels,
    };

    private static MapView<TAccumulator> Statistics(Tensor? statistics, Tensor input) =>
        statistics?.Map<TAccumulator>() ?? new MapView<TAccumulator> { Data = input.Memory.View<TAccumulator>(0) };

    private static ILaunchable<ProjectionParameters<TStorage, TAccumulator>> CloseProjection(KernelVariant v) =>
        v.VectorBits > 0
            ? KernelVariants.Tiles<ProjectionParameters<TStorage, TAccumulator>>(typeof(ProjectionProgram<,,,>), Simd(v))
            : KernelVariants.Group<ProjectionParameters<TStorage, TAccumulator>>(
                typeof(Projection<,,,,>),
                [.. Element, KernelVariants.Access(v.EmbeddingVectors), KernelVariants.Access(v.ValueVectors)]);

    private static Type[] Simd(KernelVariant v) => KernelVariants.SimdArguments<TElement, TStorage, TAccumulator>(v);

    private void Project(
        in ProjectionTensors projection,
        long rowStride,
        long columnStride,
        Tensor input,
        Tensor output,
        Tensor? statistics,
        bool accumulate)
    {
        var weight = projection.Weight.Elements<TAccumulator>();
        var parameters = new ProjectionParameters<TStorage, TAccumulator>
        {
            Extent = Extent(input.Shape, output.Shape.Channels),
            Input = input.Map<TStorage>(),
            Output = output.Map<TStorage>(),
            Weight = weight,
            WeightRowStride = rowStride,
            WeightColumnStride = columnStride,
            Bias = projection.Bias?.Elements<TAccumulator>() ?? weight,
            NormWeight = projection.NormWeight?.Elements<TAccumulator>() ?? weight,
            NormBias = projection.NormBias?.Elements<TAccumulator>() ?? weight,
            Statistics = Statistics(statistics, input),
            Epsilon = TAccumulator.CreateTruncating(projection.Epsilon),
            Accumulate = accumulate ? 1 : 0,
            HasBias = projection.Bias is null ? 0 : 1,
            HasNorm = projection.NormWeight is null ? 0 : 1,
        };
        var variant = KernelVariant.Choose(input.Device, VectorLayout.Fits(input), VectorLayout.Fits(output));
        projections[variant].Launch(input.Device.Launcher, in parameters);
    }
}

using System.Numerics;
using ILGPU;
using SapaGpu.Kernels;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>LayerNorm and linear map of every pixel: the tensors of one projection.</summary>
/// <param name="Weight">The matrix, [O, I, 1, 1].</param>
/// <param name="Bias">The bias, [1, O, 1, 1]; null for none.</param>
/// <param name="NormWeight">The factor of the normalisation, [1, I, 1, 1]; null for no normalisation.</param>
/// <param name="NormBias">The offset of the normalisation, [1, I, 1, 1].</param>
/// <param name="Epsilon">What is added to the variance.</param>
internal readonly record struct ProjectionTensors<T>(
    Tensor<T> Weight, Tensor<T>? Bias, Tensor<T>? NormWeight, Tensor<T>? NormBias, double Epsilon)
    where T : unmanaged;

/// <summary>The projection and its gradients on tensors of one element type, arguments checked.</summary>
internal abstract class ProjectionKernels<T>
    where T : unmanaged
{
    /// <summary>Gets the operators of the element type.</summary>
    public static ProjectionKernels<T> Instance { get; } = ElementTypes.Of<T>() switch
    {
        ElementType.Float64 => (ProjectionKernels<T>)(object)new ProjectionKernels<Float64Element, double, double>(),
        _ => (ProjectionKernels<T>)(object)new ProjectionKernels<Float32Element, float, float>(),
    };

    /// <summary>Creates the tensor that keeps mean and reciprocal deviation of every pixel, [B, 2, H, W].</summary>
    public abstract Tensor CreateStatistics(Device device, TensorShape input);

    /// <summary>output = W·LayerNorm(input) + bias; the statistics are written where there is a normalisation.</summary>
    public abstract void Forward(
        in ProjectionTensors<T> projection, Tensor<T> input, Tensor<T> output, Tensor statistics);

    /// <summary>The gradient of the input, written or added to what is there.</summary>
    public abstract void BackwardInput(
        in ProjectionTensors<T> projection,
        Tensor<T> input,
        Tensor<T> gradOutput,
        Tensor statistics,
        Tensor<T> gradInput,
        bool accumulate);

    /// <summary>The gradients of the parameters, in the shapes of the parameters.</summary>
    public abstract void BackwardParameters(
        in ProjectionTensors<T> projection,
        Tensor<T> input,
        Tensor<T> gradOutput,
        Tensor statistics,
        in ProjectionTensors<T> gradients);
}

/// <summary>The projection with the element type's accumulator.</summary>
internal sealed class ProjectionKernels<TElement, T, TAccumulator> : ProjectionKernels<T>
    where TElement : struct, IElement<T, TAccumulator>
    where T : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    private const int MaximumChunks = 64;
    private const int SmallestChunk = 512;

    private readonly VariantTable<ProjectionParameters<T, TAccumulator>> projections = new(CloseProjection);
    private readonly VariantTable<LayerNormBackwardParameters<T, TAccumulator>> layerNorms = new(v =>
        v.VectorBits > 0
            ? KernelVariants.Tiles<LayerNormBackwardParameters<T, TAccumulator>>(
                typeof(LayerNormBackwardProgram<,,,>), Simd(v))
            : KernelVariants.Group<LayerNormBackwardParameters<T, TAccumulator>>(
                typeof(LayerNormBackward<,,>), Element));

    private readonly VariantTable<ProjectionOuterParameters<T, TAccumulator>> outers = new(v =>
        v.VectorBits > 0
            ? KernelVariants.Tiles<ProjectionOuterParameters<T, TAccumulator>>(typeof(ProjectionOuterProgram<,,,>), Simd(v))
            : KernelVariants.Group<ProjectionOuterParameters<T, TAccumulator>>(typeof(ProjectionOuter<,,>), Element));

    private readonly VariantTable<ProjectionGradientParameters<T, TAccumulator>> reductions = new(v =>
        CloseElements(v, typeof(ChunkReduction<T, TAccumulator>)));

    private readonly VariantTable<ProjectionGradientParameters<T, TAccumulator>> parameterGradients = new(v =>
        CloseElements(v, typeof(ParameterGradients<TElement, T, TAccumulator>)));

    private static Type[] Element => [typeof(TElement), typeof(T), typeof(TAccumulator)];

    public override Tensor CreateStatistics(Device device, TensorShape input) =>
        Tensor<TAccumulator>.Create(device, new TensorShape(input.Batch, 2, input.Height, input.Width));

    public override void Forward(
        in ProjectionTensors<T> projection, Tensor<T> input, Tensor<T> output, Tensor statistics)
    {
        int channels = input.Shape.Channels;
        Project(in projection, channels, 1, input, output, statistics);
    }

    public override void BackwardInput(
        in ProjectionTensors<T> projection,
        Tensor<T> input,
        Tensor<T> gradOutput,
        Tensor statistics,
        Tensor<T> gradInput,
        bool accumulate)
    {
        // The adjoint of the matrix is the same product with the strides of the matrix exchanged.
        var adjoint = new ProjectionTensors<T>(projection.Weight, null, null, null, 0);
        int channels = input.Shape.Channels;
        if (projection.NormWeight is null)
        {
            if (accumulate)
                throw new NotSupportedException("A projection without normalisation writes its gradient.");
            Project(in adjoint, 1, channels, gradOutput, gradInput, statistics);
            return;
        }
        using var normalised = Tensor<T>.Create(input.Device, input.Shape, gradInput.Format);
        Project(in adjoint, 1, channels, gradOutput, normalised, statistics);
        var parameters = new LayerNormBackwardParameters<T, TAccumulator>
        {
            Extent = Extent(input.Shape, channels),
            Gradient = normalised.Map(),
            Input = input.Map(),
            Statistics = ((Tensor<TAccumulator>)statistics).Map(),
            NormWeight = projection.NormWeight.Map().Data,
            Result = gradInput.Map(),
            Accumulate = accumulate ? 1 : 0,
        };
        layerNorms[Variant(input.Device)].Launch(input.Device.Launcher, in parameters);
    }

    public override void BackwardParameters(
        in ProjectionTensors<T> projection,
        Tensor<T> input,
        Tensor<T> gradOutput,
        Tensor statistics,
        in ProjectionTensors<T> gradients)
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
            var outer = new ProjectionOuterParameters<T, TAccumulator>
            {
                Extent = extent,
                Input = input.Map(),
                GradOutput = gradOutput.Map(),
                Statistics = ((Tensor<TAccumulator>)statistics).Map(),
                Partials = partials,
                PixelsPerChunk = checked((int)pixelsPerChunk),
                Chunks = chunks,
                HasNorm = hasNorm ? 1 : 0,
            };
            outers[Variant(device)].Launch(device.Launcher, in outer);
            var weight = projection.Weight.Map().Data;
            var gradWeight = gradients.Weight.Map().Data;
            var parameters = new ProjectionGradientParameters<T, TAccumulator>
            {
                InputChannels = extent.InputChannels,
                OutputChannels = extent.OutputChannels,
                Chunks = chunks,
                Partials = partials,
                Weight = weight,
                NormWeight = projection.NormWeight?.Map().Data ?? weight,
                NormBias = projection.NormBias?.Map().Data ?? weight,
                GradWeight = gradWeight,
                GradBias = gradients.Bias?.Map().Data ?? gradWeight,
                GradNormWeight = gradients.NormWeight?.Map().Data ?? gradWeight,
                GradNormBias = gradients.NormBias?.Map().Data ?? gradWeight,
                HasBias = projection.Bias is null ? 0 : 1,
                HasNorm = hasNorm ? 1 : 0,
            };
            reductions[Variant(device)].Launch(device.Launcher, in parameters);
            parameterGradients[Variant(device)].Launch(device.Launcher, in parameters);
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

    private static KernelVariant Variant(Device device, bool inputVectors = false, bool outputVectors = false) =>
        KernelVariant.Choose(device, 0, 0, BorderRule.ZeroLogit, inputVectors, outputVectors);

    private static ILaunchable<ProjectionParameters<T, TAccumulator>> CloseProjection(KernelVariant v) =>
        v.VectorBits > 0
            ? KernelVariants.Tiles<ProjectionParameters<T, TAccumulator>>(typeof(ProjectionProgram<,,,>), Simd(v))
            : KernelVariants.Group<ProjectionParameters<T, TAccumulator>>(
                typeof(Projection<,,,,>),
                [.. Element, KernelVariants.Access(v.EmbeddingVectors), KernelVariants.Access(v.ValueVectors)]);

    private static ILaunchable<ProjectionGradientParameters<T, TAccumulator>> CloseElements(
        KernelVariant v, Type program) =>
        v.VectorBits > 0
            ? KernelVariants.Tiles<ProjectionGradientParameters<T, TAccumulator>>(
                typeof(ElementTiles<,>), program, typeof(ProjectionGradientParameters<T, TAccumulator>))
            : KernelVariants.Group<ProjectionGradientParameters<T, TAccumulator>>(
                typeof(ElementKernel<,>), program, typeof(ProjectionGradientParameters<T, TAccumulator>));

    private static Type[] Simd(KernelVariant v) => KernelVariants.SimdArguments<T, TAccumulator>(v);

    private void Project(
        in ProjectionTensors<T> projection,
        long rowStride,
        long columnStride,
        Tensor<T> input,
        Tensor<T> output,
        Tensor statistics)
    {
        var weight = projection.Weight.Map().Data;
        var parameters = new ProjectionParameters<T, TAccumulator>
        {
            Extent = Extent(input.Shape, output.Shape.Channels),
            Input = input.Map(),
            Output = output.Map(),
            Weight = weight,
            WeightRowStride = rowStride,
            WeightColumnStride = columnStride,
            Bias = projection.Bias?.Map().Data ?? weight,
            NormWeight = projection.NormWeight?.Map().Data ?? weight,
            NormBias = projection.NormBias?.Map().Data ?? weight,
            Statistics = ((Tensor<TAccumulator>)statistics).Map(),
            Epsilon = TAccumulator.CreateTruncating(projection.Epsilon),
            HasBias = projection.Bias is null ? 0 : 1,
            HasNorm = projection.NormWeight is null ? 0 : 1,
        };
        var variant = Variant(input.Device, VectorLayout.Fits(input), VectorLayout.Fits(output));
        projections[variant].Launch(input.Device.Launcher, in parameters);
    }
}

using System.Numerics;
using ILGPU;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

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

    /// <summary>The gradients, where tensors are given for them.</summary>
    /// <param name="projection">The parameters of the forward.</param>
    /// <param name="input">The input of the forward.</param>
    /// <param name="gradOutput">The gradient of the output.</param>
    /// <param name="statistics">The statistics that the forward wrote; null where there is no normalisation.</param>
    /// <param name="gradInput">The gradient of the input; null to leave it out.</param>
    /// <param name="gradients">The gradients of the parameters, in their shapes and strides; null to leave them out.</param>
    /// <param name="accumulate">Whether the gradient of the input is added to what is there.</param>
    public abstract void Backward(
        in ProjectionTensors projection,
        Tensor input,
        Tensor gradOutput,
        Tensor? statistics,
        Tensor? gradInput,
        in ProjectionTensors? gradients,
        bool accumulate = false);
}

/// <summary>The projection with the element type's accumulator.</summary>
internal sealed class ProjectionKernels<TElement, TStorage, TAccumulator> : ProjectionKernels
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    private readonly VariantTable<ProjectionParameters<TStorage, TAccumulator>> projections = new(CloseProjection);

    // On the CPU everything is one pass over the map, on thread groups a step for each gradient.
    private readonly VariantTable<ProjectionBackwardParameters<TStorage, TAccumulator>> backwards = new(v =>
        KernelVariants.Tiles<ProjectionBackwardParameters<TStorage, TAccumulator>>(
            typeof(ProjectionBackwardProgram<,,,>), Simd(v)));

    private readonly VariantTable<ProjectionOuterParameters<TStorage, TAccumulator>> outers = new(_ =>
        KernelVariants.Group<ProjectionOuterParameters<TStorage, TAccumulator>>(typeof(ProjectionOuter<,,>), Element));

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

    public override void Backward(
        in ProjectionTensors projection,
        Tensor input,
        Tensor gradOutput,
        Tensor? statistics,
        Tensor? gradInput,
        in ProjectionTensors? gradients,
        bool accumulate)
    {
        if (gradients is { } wanted)
            BackwardParameters(in projection, input, gradOutput, statistics, gradInput, in wanted, accumulate);
        if (gradInput is not null && (gradients is null || !input.Device.RunsVectorPrograms))
            BackwardInput(in projection, input, gradOutput, statistics, gradInput, accumulate);
    }

    private void BackwardInput(
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
        if (input.Device.RunsVectorPrograms)
        {
            var outer = Outer(in projection, input, gradOutput, statistics, Chunking.Of(input.Shape));
            BackwardTogether(in projection, in outer, gradInput, accumulate, wantsParameters: false);
            return;
        }
        using var normalised = Tensor.Create(input.Device, input.Shape, gradInput.Format, input.ElementType);
        Project(in adjoint, matrix.ChannelStride, matrix.BatchStride, gradOutput, normalised, null, accumulate: false);
        FeatureNormKernels.For(input.ElementType).LayerNormBackward(
            projection.NormWeight, input, normalised, statistics!, gradInput, accumulate);
    }

    // With the gradient of the input, where it is one pass.
    private void BackwardParameters(
        in ProjectionTensors projection,
        Tensor input,
        Tensor gradOutput,
        Tensor? statistics,
        Tensor? gradInput,
        in ProjectionTensors gradients,
        bool accumulate)
    {
        var chunking = Chunking.Of(input.Shape);
        int outputs = gradOutput.Shape.Channels;
        long size = ((long)outputs * input.Shape.Channels + outputs) * chunking.Chunks;
        var device = input.Device;
        var memory = device.Pool.Rent(size * Interop.SizeOf<TAccumulator>());
        try
        {
            var outer = Outer(in projection, input, gradOutput, statistics, chunking) with
            {
                Partials = memory.View<TAccumulator>(0, size),
            };
            if (device.RunsVectorPrograms)
                BackwardTogether(in projection, in outer, gradInput, accumulate, wantsParameters: true);
            else
                outers.Launch(device, in outer);
            Finish(device, in projection, in gradients, in outer);
        }
        finally
        {
            device.Pool.Return(memory);
        }
    }

    private void BackwardTogether(
        in ProjectionTensors projection,
        in ProjectionOuterParameters<TStorage, TAccumulator> outer,
        Tensor? gradInput,
        bool accumulate,
        bool wantsParameters)
    {
        var weight = projection.Weight.Elements<TAccumulator>();
        var parameters = new ProjectionBackwardParameters<TStorage, TAccumulator>
        {
            Outer = outer,
            Weight = weight,
            WeightRowStride = projection.Weight.Layout.BatchStride,
            WeightColumnStride = projection.Weight.Layout.ChannelStride,
            NormWeight = projection.NormWeight?.Elements<TAccumulator>() ?? weight,
            GradInput = gradInput?.Map<TStorage>() ?? outer.Input,
            Accumulate = accumulate ? 1 : 0,
            WantsInput = gradInput is null ? 0 : 1,
            WantsParameters = wantsParameters ? 1 : 0,
        };
        backwards.Launch(projection.Weight.Device, in parameters);
    }

    // The gradients of the parameters from the sums of the chunks.
    private void Finish(
        Device device,
        in ProjectionTensors projection,
        in ProjectionTensors gradients,
        in ProjectionOuterParameters<TStorage, TAccumulator> outer)
    {
        var weight = projection.Weight.Elements<TAccumulator>();
        var gradWeight = gradients.Weight.Elements<TAccumulator>();
        var parameters = new ProjectionGradientParameters<TAccumulator>
        {
            InputChannels = outer.Extent.InputChannels,
            OutputChannels = outer.Extent.OutputChannels,
            Chunks = outer.Chunks,
            Partials = outer.Partials,
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
            HasNorm = outer.HasNorm,
        };
        reductions.Launch(device, in parameters);
        parameterGradients.Launch(device, in parameters);
    }

    // Without room for the sums, which a gradient of the input alone does not need.
    private static ProjectionOuterParameters<TStorage, TAccumulator> Outer(
        in ProjectionTensors projection, Tensor input, Tensor gradOutput, Tensor? statistics, Chunking chunking) => new()
        {
            Extent = Extent(input.Shape, gradOutput.Shape.Channels),
            Input = input.Map<TStorage>(),
            GradOutput = gradOutput.Map<TStorage>(),
            Statistics = Statistics(statistics, input),
            Partials = projection.Weight.Elements<TAccumulator>(),
            PixelsPerChunk = chunking.Pixels,
            Chunks = chunking.Chunks,
            HasNorm = projection.NormWeight is null ? 0 : 1,
        };

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
        var variant = KernelVariant.Choose(input.Device, Pack4Layout.Fits(input), Pack4Layout.Fits(output));
        projections[variant].Launch(input.Device.Launcher, in parameters);
    }

    // The pixels of a chunk and their number, from the problem alone: sums are the same on any number of threads.
    private readonly record struct Chunking(int Pixels, int Chunks)
    {
        private const int Maximum = 64;
        private const int SmallestPixels = 512;

        public static Chunking Of(TensorShape shape)
        {
            long pixels = (long)shape.Batch * shape.Height * shape.Width;
            long each = Math.Max(SmallestPixels, (pixels + Maximum - 1) / Maximum);
            each = (each + ProjectionBlock.Pixels - 1) / ProjectionBlock.Pixels * ProjectionBlock.Pixels;
            return new Chunking(checked((int)each), (int)((pixels + each - 1) / each));
        }
    }
}

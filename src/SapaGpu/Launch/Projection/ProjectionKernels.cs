using System.Numerics;
using ILGPU;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;
using SapaGpu.Maps;

namespace SapaGpu.Launch;

/// <summary>The projection and its gradients on features of one element type; callers check arguments.</summary>
internal abstract class ProjectionKernels
{
    private static readonly KernelsByElement<ProjectionKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static ProjectionKernels For(FeatureMap map) => Known.For(map);

    /// <summary>
    /// output = W·LayerNorm(input) + bias, written or added; the statistics of a normalisation are written.
    /// </summary>
    public abstract void Forward(
        in ProjectionWeights projection, FeatureMap input, FeatureMap output, FeatureMap? statistics, bool accumulate =
            false);

    /// <summary>The gradients, where maps are given for them.</summary>
    /// <param name="projection">The parameters of the forward.</param>
    /// <param name="input">The input of the forward.</param>
    /// <param name="gradOutput">The gradient of the output.</param>
    /// <param name="statistics">The statistics that the forward wrote; null where there is no normalisation.</param>
    /// <param name="gradInput">The gradient of the input; null to leave it out.</param>
    /// <param name="gradients">
    /// The gradients of the parameters, in their shapes and strides; null to leave them out.
    /// </param>
    /// <param name="accumulate">Whether the gradient of the input is added to what is there.</param>
    public abstract void Backward(
        in ProjectionWeights projection,
        FeatureMap input,
        FeatureMap gradOutput,
        FeatureMap? statistics,
        FeatureMap? gradInput,
        in ProjectionWeights? gradients,
        bool accumulate = false);

    private readonly struct Factory : IKernelFactory<ProjectionKernels>
    {
        ProjectionKernels IKernelFactory<ProjectionKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new ProjectionKernels<TElement, TStorage, TReal>(arithmetic);
    }
}

/// <summary>The projection with the element type's accumulator.</summary>
internal sealed class ProjectionKernels<TElement, TStorage, TReal>(
    ElementArithmetic<TStorage, TReal> arithmetic) : ProjectionKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<ProjectionParameters<TStorage, TReal>> projections =
        arithmetic.Table(new ForwardTiles(), new ForwardKernel());

    // On the CPU everything is one pass over the map, on thread groups a step for each gradient.
    private readonly VariantTable<ProjectionBackwardParameters<TStorage, TReal>> backwards =
        arithmetic.Table(new BackwardTiles());

    private readonly VariantTable<ProjectionOuterParameters<TStorage, TReal>> outers = new(new OuterKernel().Close);

    private readonly VariantTable<ProjectionGradientParameters<TReal>> reductions =
        MapPrograms.Table<ProjectionGradientParameters<TReal>, ChunkReduction<TReal>>();

    private readonly VariantTable<ProjectionGradientParameters<TReal>> parameterGradients =
        MapPrograms.Table<ProjectionGradientParameters<TReal>, ParameterGradients<TReal>>();

    public override void Forward(
        in ProjectionWeights projection, FeatureMap input, FeatureMap output, FeatureMap? statistics, bool accumulate)
    {
        var matrix = projection.Weight.Layout;
        Project(in projection, matrix.BatchStride, matrix.ChannelStride, input, output, statistics, accumulate);
    }

    public override void Backward(
        in ProjectionWeights projection,
        FeatureMap input,
        FeatureMap gradOutput,
        FeatureMap? statistics,
        FeatureMap? gradInput,
        in ProjectionWeights? gradients,
        bool accumulate)
    {
        if (gradients is { } wanted)
            BackwardParameters(in projection, input, gradOutput, statistics, gradInput, in wanted, accumulate);
        if (gradInput is not null && (gradients is null || !input.Device.RunsVectorPrograms))
            BackwardInput(in projection, input, gradOutput, statistics, gradInput, accumulate);
    }

    private void BackwardInput(
        in ProjectionWeights projection,
        FeatureMap input,
        FeatureMap gradOutput,
        FeatureMap? statistics,
        FeatureMap gradInput,
        bool accumulate)
    {
        // The adjoint of the matrix is the same product with the strides of the matrix exchanged.
        var adjoint = new ProjectionWeights(projection.Weight, null);
        var matrix = projection.Weight.Layout;
        if (projection.NormWeight is null)
        {
            Project(in adjoint, matrix.ChannelStride, matrix.BatchStride, gradOutput, gradInput, null, accumulate);
            return;
        }
        if (input.Device.RunsVectorPrograms)
        {
            var outer = Outer(in projection, input, gradOutput, statistics, Chunking.Of(input));
            BackwardTogether(in projection, in outer, gradInput, accumulate, wantsParameters: false);
            return;
        }
        using var normalised = FeatureMap.Create(input.Device, input.Shape, gradInput.Format, input.ElementType);
        Project(in adjoint, matrix.ChannelStride, matrix.BatchStride, gradOutput, normalised, null, accumulate: false);
        FeatureNormKernels.For(input).LayerNormBackward(
            projection.NormWeight, input, normalised, statistics!, gradInput, accumulate);
    }

    // With the gradient of the input, where it is one pass.
    private void BackwardParameters(
        in ProjectionWeights projection,
        FeatureMap input,
        FeatureMap gradOutput,
        FeatureMap? statistics,
        FeatureMap? gradInput,
        in ProjectionWeights gradients,
        bool accumulate)
    {
        var chunking = Chunking.Of(input);
        int outputs = gradOutput.Shape.Channels;
        long size = ((long)outputs * input.Shape.Channels + outputs) * chunking.Chunks;
        var device = input.Device;
        var memory = device.Pool.Rent(size * Interop.SizeOf<TReal>());
        try
        {
            var outer = Outer(in projection, input, gradOutput, statistics, chunking) with
            {
                Partials = memory.View<TReal>(0, size),
            };
            if (device.RunsVectorPrograms)
            {
                BackwardTogether(in projection, in outer, gradInput, accumulate, wantsParameters: true);
            }
            else
            {
                var variant = KernelVariant.Choose(device, Pack4Layout.Fits(input), Pack4Layout.Fits(gradOutput));
                outers[variant].Launch(device.Launcher, in outer);
            }
            Finish(device, in projection, in gradients, in outer);
        }
        finally
        {
            device.Pool.Return(memory);
        }
    }

    private void BackwardTogether(
        in ProjectionWeights projection,
        in ProjectionOuterParameters<TStorage, TReal> outer,
        FeatureMap? gradInput,
        bool accumulate,
        bool wantsParameters)
    {
        var weight = projection.Weight.Elements<TReal>();
        var parameters = new ProjectionBackwardParameters<TStorage, TReal>
        {
            Outer = outer,
            Weight = weight,
            WeightRowStride = projection.Weight.Layout.BatchStride,
            WeightColumnStride = projection.Weight.Layout.ChannelStride,
            NormWeight = projection.NormWeight?.Elements<TReal>() ?? weight,
            GradInput = gradInput?.Map<TStorage>() ?? outer.Input,
            Accumulate = accumulate ? 1 : 0,
            WantsInput = gradInput is null ? 0 : 1,
            WantsParameters = wantsParameters ? 1 : 0,
        };
        backwards.Launch(projection.Weight.Device, in parameters);
    }

    // The gradients of the parameters from the sums of the chunks.
    private void Finish(
        ComputeDevice device,
        in ProjectionWeights projection,
        in ProjectionWeights gradients,
        in ProjectionOuterParameters<TStorage, TReal> outer)
    {
        var weight = projection.Weight.Elements<TReal>();
        var gradWeight = gradients.Weight.Elements<TReal>();
        var parameters = new ProjectionGradientParameters<TReal>
        {
            InputChannels = outer.Extent.InputChannels,
            OutputChannels = outer.Extent.OutputChannels,
            Chunks = outer.Chunks,
            Partials = outer.Partials,
            WeightRowStride = projection.Weight.Layout.BatchStride,
            WeightColumnStride = projection.Weight.Layout.ChannelStride,
            Weight = weight,
            NormWeight = projection.NormWeight?.Elements<TReal>() ?? weight,
            NormBias = projection.NormBias?.Elements<TReal>() ?? weight,
            GradWeight = gradWeight,
            GradBias = gradients.Bias?.Elements<TReal>() ?? gradWeight,
            GradNormWeight = gradients.NormWeight?.Elements<TReal>() ?? gradWeight,
            GradNormBias = gradients.NormBias?.Elements<TReal>() ?? gradWeight,
            HasBias = gradients.Bias is null ? 0 : 1,
            HasNorm = outer.HasNorm,
        };
        reductions.Launch(device, in parameters);
        parameterGradients.Launch(device, in parameters);
    }

    // Without space for the sums, which a gradient of the input alone does not need.
    private static ProjectionOuterParameters<TStorage, TReal> Outer(
        in ProjectionWeights projection, FeatureMap input, FeatureMap gradOutput, FeatureMap? statistics, Chunking chunking) =>
            new()
            {
                Extent = Extent(input.Shape, gradOutput.Shape.Channels),
                Input = input.Map<TStorage>(),
                GradOutput = gradOutput.Map<TStorage>(),
                Statistics = Statistics(statistics, input),
                Partials = projection.Weight.Elements<TReal>(),
                PixelsPerChunk = chunking.Pixels,
                Chunks = chunking.Chunks,
                HasNorm = projection.NormWeight is null ? 0 : 1,
            };

    private static PointwiseExtent Extent(MapShape input, int outputChannels) => new()
    {
        Batch = input.Batch,
        Height = input.Height,
        Width = input.Width,
        InputChannels = input.Channels,
        OutputChannels = outputChannels,
    };

    private static MapView<TReal> Statistics(FeatureMap? statistics, FeatureMap input) =>
        statistics?.Map<TReal>() ?? new MapView<TReal> { Data = input.Memory.View<TReal>(0) };

    private void Project(
        in ProjectionWeights projection,
        long rowStride,
        long columnStride,
        FeatureMap input,
        FeatureMap output,
        FeatureMap? statistics,
        bool accumulate)
    {
        var weight = projection.Weight.Elements<TReal>();
        var parameters = new ProjectionParameters<TStorage, TReal>
        {
            Extent = Extent(input.Shape, output.Shape.Channels),
            Input = input.Map<TStorage>(),
            Output = output.Map<TStorage>(),
            Weight = weight,
            WeightRowStride = rowStride,
            WeightColumnStride = columnStride,
            Bias = projection.Bias?.Elements<TReal>() ?? weight,
            NormWeight = projection.NormWeight?.Elements<TReal>() ?? weight,
            NormBias = projection.NormBias?.Elements<TReal>() ?? weight,
            Statistics = Statistics(statistics, input),
            Epsilon = TReal.CreateTruncating(projection.Epsilon),
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
        // A large GPU runs some hundred thread groups at a time.
        private const int GpuMaximum = 256;
        private const int GpuSmallestPixels = 256;
        private const int Maximum = 64;
        private const int SmallestPixels = 512;

        public static Chunking Of(FeatureMap input)
        {
            var shape = input.Shape;
            bool isGpu = !input.Device.RunsVectorPrograms;
            int most = isGpu ? GpuMaximum : Maximum;
            long pixels = (long)shape.Batch * shape.Height * shape.Width;
            long each = Math.Max(isGpu ? GpuSmallestPixels : SmallestPixels, (pixels + most - 1) / most);
            each = (each + ProjectionBlock.Pixels - 1) / ProjectionBlock.Pixels * ProjectionBlock.Pixels;
            return new Chunking(checked((int)each), (int)((pixels + each - 1) / each));
        }
    }

    private sealed class ForwardTiles : OpenTiles<TStorage, TReal, ProjectionParameters<TStorage, TReal>>
    {
        public override ILaunchable<ProjectionParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                ProjectionProgram<TSimd, TStorage, TReal, TVector>,
                ProjectionParameters<TStorage, TReal>>();
    }

    private sealed class ForwardKernel : OpenKernel<ProjectionParameters<TStorage, TReal>>
    {
        public override ILaunchable<ProjectionParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                Projection<TElement, TStorage, TReal, TEmbedding, TValue>,
                ProjectionParameters<TStorage, TReal>>();
    }

    private sealed class BackwardTiles : OpenTiles<TStorage, TReal, ProjectionBackwardParameters<TStorage, TReal>>
    {
        public override ILaunchable<ProjectionBackwardParameters<TStorage, TReal>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                ProjectionBackwardProgram<TSimd, TStorage, TReal, TVector>,
                ProjectionBackwardParameters<TStorage, TReal>>();
    }

    private sealed class OuterKernel : OpenKernel<ProjectionOuterParameters<TStorage, TReal>>
    {
        public override ILaunchable<ProjectionOuterParameters<TStorage, TReal>>
            Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
            new GroupLaunchable<
                ProjectionOuter<TElement, TStorage, TReal, TEmbedding, TValue>,
                ProjectionOuterParameters<TStorage, TReal>>();
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Deformable attention, forward, on the CPU: a tile is a run of queries, whose scores and weights stay in scratch
/// memory. The lanes are over channels where cells are read, and over queries elsewhere.
/// </summary>
internal readonly unsafe struct DeformableAttentionProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<DeformableAttentionParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Length = DeformableTable<TSimd, TStorage, TReal, TVector>.Length;

    public static long TileCount(
        in DeformableAttentionParameters<TStorage> parameters) => parameters.Extent().Runs(Length);

    public static double Operations(in DeformableAttentionParameters<TStorage> parameters) =>
        DeformableAttentionSteps<TSimd, TStorage, TReal, TVector>.Operations(in parameters);

    public static long ScratchBytes(in DeformableAttentionParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    public static void Begin(in DeformableAttentionParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        new Workspace(ref allocator, in parameters).Steps.Clear(in parameters);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in DeformableAttentionParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var steps = workspace.Steps;
        var extent = parameters.Extent();
        var span = PixelSpan.Locate(in extent, tile, Length);
        steps.Begin(in parameters, in span);
        new Span<TReal>(workspace.Output, span.Count * workspace.OutputStride).Clear();
        for (int group = 0; group < parameters.Groups; group++)
        {
            steps.Score(in parameters, in span, group, workspace.Weights);
            DeformableSteps<TSimd, TStorage, TReal, TVector>.Softmax(workspace.Weights, parameters.Points);
            steps.Table.Weigh(workspace.Weights);
            DeformableSteps<TSimd, TStorage, TReal, TVector>.AddCells(
                steps.Table.Second,
                steps.Table.BilinearWeights,
                steps.Table.CellsPerQuery,
                span.Count,
                workspace.Output + group * parameters.ValueChannels,
                workspace.OutputStride,
                parameters.ValueChannels);
        }
        var output = new MapPointer<TStorage>(in parameters.Output);
        int channels = parameters.Groups * parameters.ValueChannels;
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Output,
            workspace.OutputStride,
            in output,
            in span,
            channels,
            PixelRows<TSimd, TStorage, TReal, TVector>.Streams(in output, extent.Pixels * channels));
    }

    private readonly struct Workspace
    {
        public readonly DeformableAttentionSteps<TSimd, TStorage, TReal, TVector> Steps;
        public readonly TReal* Weights;
        public readonly TReal* Output;
        public readonly int OutputStride;

        public Workspace(ref ScratchAllocator scratch, in DeformableAttentionParameters<TStorage> parameters)
        {
            Steps = new(ref scratch, in parameters);
            Weights = scratch.Take<TReal>((long)parameters.Points * Length);
            OutputStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(
                parameters.Groups * parameters.ValueChannels);
            Output = scratch.Take<TReal>((long)Length * OutputStride);
        }
    }
}

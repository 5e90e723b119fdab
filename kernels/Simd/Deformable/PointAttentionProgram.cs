using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Attention over points, forward, on the CPU: a tile is a run of queries, whose scores and weights stay in scratch memory.
/// The lanes are over channels where cells are read, and over queries elsewhere.
/// </summary>
public readonly unsafe struct PointAttentionProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<PointAttentionParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int Length = PointTable<TSimd, TStorage, T, TVector>.Length;

    /// <inheritdoc/>
    public static long TileCount(in PointAttentionParameters<TStorage> parameters) => parameters.Extent().Runs(Length);

    /// <inheritdoc/>
    public static double Operations(in PointAttentionParameters<TStorage> parameters) =>
        PointAttentionSteps<TSimd, TStorage, T, TVector>.Operations(in parameters);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointAttentionParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    public static void Begin(in PointAttentionParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        new Workspace(ref allocator, in parameters).Steps.Clear(in parameters);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointAttentionParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var steps = workspace.Steps;
        var extent = parameters.Extent();
        var span = PixelSpan.Locate(in extent, tile, Length);
        steps.Begin(in parameters, in span);
        new Span<T>(workspace.Output, span.Count * workspace.OutputStride).Clear();
        for (int group = 0; group < parameters.Groups; group++)
        {
            steps.Score(in parameters, in span, group, workspace.Weights);
            PointSteps<TSimd, TStorage, T, TVector>.Softmax(workspace.Weights, parameters.Points);
            steps.Table.Weigh(workspace.Weights);
            PointSteps<TSimd, TStorage, T, TVector>.AddCells(
                steps.Table.Second,
                steps.Table.Shares,
                steps.Table.CellsPerQuery,
                span.Count,
                workspace.Output + group * parameters.ValueChannels,
                workspace.OutputStride,
                parameters.ValueChannels);
        }
        var output = new MapPointer<TStorage>(in parameters.Output);
        int channels = parameters.Groups * parameters.ValueChannels;
        PixelRows<TSimd, TStorage, T, TVector>.Store(
            workspace.Output,
            workspace.OutputStride,
            in output,
            in span,
            channels,
            PixelRows<TSimd, TStorage, T, TVector>.Streams(in output, extent.Pixels * channels));
    }

    private readonly struct Workspace
    {
        public readonly PointAttentionSteps<TSimd, TStorage, T, TVector> Steps;
        public readonly T* Weights;
        public readonly T* Output;
        public readonly int OutputStride;

        public Workspace(ref ScratchAllocator scratch, in PointAttentionParameters<TStorage> parameters)
        {
            Steps = new(ref scratch, in parameters);
            Weights = scratch.Take<T>((long)parameters.Points * Length);
            OutputStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.ValueChannels);
            Output = scratch.Take<T>((long)Length * OutputStride);
        }
    }
}

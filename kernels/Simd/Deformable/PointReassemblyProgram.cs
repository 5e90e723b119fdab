using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// <see cref="PointReassembly{TElement, TStorage, TAccumulator}"/> on the CPU, from a channels-last map: a tile is a run of
/// queries; the cells around all points of a query are added with their shares, with the lanes over channels and the sums
/// in registers.
/// </summary>
public readonly unsafe struct PointReassemblyProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<PointSamplingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int Length = PointTable<TSimd, TStorage, T, TVector>.Length;

    /// <inheritdoc/>
    public static long TileCount(in PointSamplingParameters<TStorage> parameters) => parameters.Extent().Runs(Length);

    /// <inheritdoc/>
    public static double Operations(in PointSamplingParameters<TStorage> parameters) =>
        parameters.Extent().Pixels
            * (double)parameters.Groups * parameters.Points * (32.0 + 8.0 * parameters.GroupChannels);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointSamplingParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    public static void Begin(in PointSamplingParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        new Span<TStorage>(workspace.Outside, parameters.GroupChannels).Clear();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointSamplingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = parameters.Extent();
        var span = PixelSpan.Locate(in extent, tile, Length);
        int channels = parameters.Groups * parameters.GroupChannels;
        var weights = new MapPointer<TStorage>(in parameters.Weights);
        QueryBlock<TSimd, TStorage, T, TVector>.Load(
            in weights,
            weights.At(span.Image, 0, span.Row, span.Column),
            workspace.Weights,
            Length,
            parameters.Groups * parameters.Points,
            span.Count);
        workspace.Table.Begin(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, in span, firstGroup: 0, parameters.Groups);
        new Span<T>(workspace.Result, span.Count * workspace.ResultStride).Clear();
        for (int group = 0; group < parameters.Groups; group++)
            AddGroup(in parameters, in span, group, in workspace);
        var result = new MapPointer<TStorage>(in parameters.Result);
        PixelRows<TSimd, TStorage, T, TVector>.Store(
            workspace.Result,
            workspace.ResultStride,
            in result,
            in span,
            channels,
            PixelRows<TSimd, TStorage, T, TVector>.Streams(in result, extent.Pixels * channels));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddGroup(
        in PointSamplingParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        int channel = group * parameters.GroupChannels;
        var table = workspace.Table;
        var map = PointMap.Of(
            in parameters.Map, in parameters.Rows, in parameters.Columns, span.Image, channel, workspace.Outside);
        table.Fill(group, span.Count, in map);
        table.Weigh(workspace.Weights + group * parameters.Points * Length);
        PointSteps<TSimd, TStorage, T, TVector>.AddCells(
            table.First,
            table.Shares,
            table.CellsPerQuery,
            span.Count,
            workspace.Result + channel,
            workspace.ResultStride,
            parameters.GroupChannels);
    }

    private readonly struct Workspace
    {
        public readonly T* Result;
        public readonly T* Weights;
        public readonly TStorage* Outside;
        public readonly PointTable<TSimd, TStorage, T, TVector> Table;
        public readonly int ResultStride;

        public Workspace(ref ScratchAllocator scratch, in PointSamplingParameters<TStorage> parameters)
        {
            ResultStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.GroupChannels);
            Result = scratch.Take<T>((long)Length * ResultStride);
            Weights = scratch.Take<T>((long)parameters.Groups * parameters.Points * Length);
            Outside = scratch.Take<TStorage>(parameters.GroupChannels);
            Table = new PointTable<TSimd, TStorage, T, TVector>(ref scratch, parameters.Points, parameters.Groups);
        }
    }
}

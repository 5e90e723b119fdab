using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// <see cref="Simt.DeformableReassemblyForward{TElement, TStorage, TReal, TAccess}"/> on the CPU, from a channels-last map: a
/// tile is a run of queries; the cells around all points of a query are added with their bilinear weights, with the
/// lanes over channels and the sums in registers.
/// </summary>
internal readonly unsafe struct DeformableReassemblyProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<DeformableSamplingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Length = DeformableTable<TSimd, TStorage, TReal, TVector>.Length;

    public static long TileCount(
        in DeformableSamplingParameters<TStorage> parameters) => parameters.Extent().Runs(Length);

    public static double Operations(in DeformableSamplingParameters<TStorage> parameters) =>
        parameters.Extent().Pixels
            * (double)parameters.Groups * parameters.Points * (32.0 + 8.0 * parameters.GroupChannels);

    public static long ScratchBytes(in DeformableSamplingParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    public static void Begin(in DeformableSamplingParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        new Span<TStorage>(workspace.Outside, parameters.GroupChannels).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in DeformableSamplingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = parameters.Extent();
        var span = PixelSpan.Locate(in extent, tile, Length);
        int channels = parameters.Groups * parameters.GroupChannels;
        var weights = new MapPointer<TStorage>(in parameters.Weights);
        QueryBlock<TSimd, TStorage, TReal, TVector>.Load(
            in weights,
            weights.At(span.Image, 0, span.Row, span.Column),
            workspace.Weights,
            Length,
            parameters.Groups * parameters.Points,
            span.Count);
        workspace.Table.Begin(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, in span, firstGroup: 0, parameters.Groups);
        new Span<TReal>(workspace.Result, span.Count * workspace.ResultStride).Clear();
        for (int group = 0; group < parameters.Groups; group++)
            AddGroup(in parameters, in span, group, in workspace);
        var result = new MapPointer<TStorage>(in parameters.Result);
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Result,
            workspace.ResultStride,
            in result,
            in span,
            channels,
            PixelRows<TSimd, TStorage, TReal, TVector>.Streams(in result, extent.Pixels * channels));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddGroup(
        in DeformableSamplingParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        int channel = group * parameters.GroupChannels;
        var table = workspace.Table;
        var map = DeformableMap.Of(
            in parameters.Map, in parameters.Rows, in parameters.Columns, span.Image, channel, workspace.Outside);
        table.Fill(group, span.Count, in map);
        table.Weigh(workspace.Weights + group * parameters.Points * Length);
        DeformableSteps<TSimd, TStorage, TReal, TVector>.AddCells(
            table.First,
            table.BilinearWeights,
            table.CellsPerQuery,
            span.Count,
            workspace.Result + channel,
            workspace.ResultStride,
            parameters.GroupChannels);
    }

    private readonly struct Workspace
    {
        public readonly TReal* Result;
        public readonly TReal* Weights;
        public readonly TStorage* Outside;
        public readonly DeformableTable<TSimd, TStorage, TReal, TVector> Table;
        public readonly int ResultStride;

        public Workspace(ref ScratchAllocator scratch, in DeformableSamplingParameters<TStorage> parameters)
        {
            ResultStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(
                parameters.Groups * parameters.GroupChannels);
            Result = scratch.Take<TReal>((long)Length * ResultStride);
            Weights = scratch.Take<TReal>((long)parameters.Groups * parameters.Points * Length);
            Outside = scratch.Take<TStorage>(parameters.GroupChannels);
            Table = new DeformableTable<TSimd, TStorage, TReal, TVector>(
                ref scratch, parameters.Points, parameters.Groups);
        }
    }
}

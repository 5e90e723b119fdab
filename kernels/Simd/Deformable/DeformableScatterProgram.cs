using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradient of a map that was sampled at points, on the CPU: a tile owns some channels of one group of one image,
/// walks all queries in order and adds the share of every point to the cells around it, in a map of its own in scratch
/// memory. No two tiles write the same element, so nothing has to be sorted and the order of the sums is that of the
/// queries.
/// </summary>
/// <remarks>
/// Memory: offsets and weights are read once for every tile of a group, the features once. Of the map of a tile,
/// <see cref="DeformableSamplingParameters{TStorage}.BlockChannels"/> of every cell, the rows around a query are meant
/// to stay in the second cache. The lanes are over channels where cells are added to, and over queries where they are
/// found.
/// </remarks>
internal readonly unsafe struct DeformableScatterProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<DeformableSamplingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Length = DeformableTable<TSimd, TStorage, TReal, TVector>.Length;

    public static long TileCount(in DeformableSamplingParameters<TStorage> parameters) =>
        (long)parameters.Batch * parameters.Groups * Blocks(in parameters);

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
        // Lanes past the last channel are computed with like the others.
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        new Span<TReal>(workspace.Features, Length * workspace.FeatureStride).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in DeformableSamplingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        int blocks = Blocks(in parameters);
        int block = (int)(tile % blocks);
        int group = (int)(tile / blocks % parameters.Groups);
        int image = (int)(tile / blocks / parameters.Groups);
        int first = block * parameters.BlockChannels;
        int channels = Math.Min(parameters.BlockChannels, parameters.GroupChannels - first);
        var features = new MapPointer<TStorage>(in parameters.Features, group * parameters.GroupChannels + first);
        NativeMemory.Clear(workspace.Sums, (nuint)(Workspace.Cells(in parameters) * workspace.Stride * sizeof(TReal)));
        for (int row = 0; row < parameters.Rows.Queries; row++)
        {
            for (int column = 0; column < parameters.Columns.Queries; column += Length)
            {
                var span = new PixelSpan
                {
                    Image = image,
                    Row = row,
                    Column = column,
                    Count = Math.Min(Length, parameters.Columns.Queries - column),
                };
                PrefetchNextRow(in parameters, in features, span, group, channels);
                PixelRows<TSimd, TStorage, TReal, TVector>.Load(
                    in features, in span, workspace.Features, channels, workspace.FeatureStride);
                AddRun(in parameters, in span, group, in workspace);
            }
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.StoreImage(
            workspace.Sums,
            workspace.Stride,
            new MapPointer<TStorage>(in parameters.Result, group * parameters.GroupChannels + first),
            image,
            parameters.Rows.Cells,
            parameters.Columns.Cells,
            channels);
    }

    private static int Blocks(in DeformableSamplingParameters<TStorage> parameters) =>
        (parameters.GroupChannels + parameters.BlockChannels - 1) / parameters.BlockChannels;

    // What the next run of the row reads: pieces of pixels, which the processor does not foresee by itself.
    private static void PrefetchNextRow(
        in DeformableSamplingParameters<TStorage> parameters,
        in MapPointer<TStorage> features,
        PixelSpan span,
        int group,
        int channels)
    {
        int offsets = 2 * parameters.Points;
        span.Column += Length;
        span.Count = Math.Min(Length, parameters.Columns.Queries - span.Column);
        Prefetch.Pixels(in features, in span, 0, channels);
        Prefetch.Pixels(new MapPointer<TStorage>(in parameters.Offsets), in span, group * offsets, offsets);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRun(
        in DeformableSamplingParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        var weights = new MapPointer<TStorage>(in parameters.Weights);
        TStorage* weight = weights.At(span.Image, group * parameters.Points, span.Row, span.Column);
        QueryBlock<TSimd, TStorage, TReal, TVector>.Load(
            in weights, weight, workspace.Weights, Length, parameters.Points, span.Count);
        var table = workspace.Table;
        table.Begin(in parameters.Offsets, in parameters.Rows, in parameters.Columns, in span, group, groups: 1);

        // What falls on cells outside is added to a cell after the last.
        var sums = DeformableMap.OfScratch(in parameters.Rows, in parameters.Columns, workspace.Sums, workspace.Stride);
        table.Fill(group: 0, span.Count, in sums);
        table.Weigh(workspace.Weights);
        TReal* features = workspace.Features;
        int cells = table.CellsPerQuery;
        for (int i = 0; i < span.Count; i++, features += workspace.FeatureStride)
        {
            DeformableSteps<TSimd, TStorage, TReal, TVector>.Spread(
                table.First + i, toSums: 0, table.BilinearWeights + i, cells, features, workspace.Stride);
        }
    }

    private readonly struct Workspace
    {
        public readonly TReal* Sums;
        public readonly TReal* Features;
        public readonly TReal* Weights;
        public readonly DeformableTable<TSimd, TStorage, TReal, TVector> Table;
        public readonly int Stride;
        public readonly int FeatureStride;

        public Workspace(ref ScratchAllocator scratch, in DeformableSamplingParameters<TStorage> parameters)
        {
            int channels = Math.Min(parameters.BlockChannels, parameters.GroupChannels);
            Stride = (channels + TSimd.Lanes - 1) / TSimd.Lanes * TSimd.Lanes;
            FeatureStride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(channels);
            Sums = scratch.Take<TReal>((Cells(in parameters) + 1) * Stride);
            Features = scratch.Take<TReal>((long)Length * FeatureStride);
            Weights = scratch.Take<TReal>((long)parameters.Points * Length);
            Table = new DeformableTable<TSimd, TStorage, TReal, TVector>(ref scratch, parameters.Points, groups: 1);
        }

        public static long Cells(in DeformableSamplingParameters<TStorage> parameters) =>
            (long)parameters.Rows.Cells * parameters.Columns.Cells;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Fused window attention, forward, on the CPU. A tile is a strip of cells as wide as a vector, a few rows high: keys
/// and queries are staged with the cells in the lanes, scores and softmax stay in scratch memory, and the values are
/// summed straight from the tensor (channels-last) or from staged rows (contiguous).
/// </summary>
public readonly unsafe struct WindowAttentionForwardProgram<TSimd, TStorage, T, TVector, TBorder, TNormalisation>
    : ITileProgram<WindowAttentionParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TBorder : struct, IBorder
    where TNormalisation : struct, INormalisation
{
    /// <inheritdoc/>
    public static long TileCount(in WindowAttentionParameters<TStorage, T> parameters) =>
        new StripTiling(parameters.Extent.Width, in parameters.Band, TSimd.Lanes).Count;

    /// <inheritdoc/>
    public static double Operations(in WindowAttentionParameters<TStorage, T> parameters) =>
        WorkEstimate.Gather(
            in parameters.Extent,
            in parameters.Band,
            parameters.Extent.EmbeddingChannels + parameters.Extent.ValueChannels);

    /// <inheritdoc/>
    public static long ScratchBytes(in WindowAttentionParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters, default);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowAttentionParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        ref readonly var extent = ref parameters.Extent;
        var strip = new StripTiling(extent.Width, in parameters.Band, TSimd.Lanes)[tile];
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, in strip);
        var query = new MapPointer<TStorage>(in parameters.Query);
        var value = new MapPointer<TStorage>(in parameters.Value);
        var output = new MapPointer<TStorage>(in parameters.Output);
        var normaliserMap = new MapPointer<T>(in parameters.Normaliser);
        T* normaliser = parameters.SaveNormaliser != 0 ? workspace.Normaliser : null;
        int firstQuery = extent.Columns.First(strip.Column);
        for (int row = strip.Row; row < strip.RowEnd; row++)
        {
            workspace.Keys.MoveTo(row);
            if (!workspace.OverChannels)
                workspace.Values.MoveTo(row);
            if (row + 1 < strip.RowEnd)
            {
                Prefetch.Rows(
                    in query,
                    strip.Image,
                    extent.Rows.First(row + 1),
                    extent.Rows.Count(row + 1),
                    firstQuery,
                    extent.Columns.First(strip.Column + strip.Columns) - firstQuery,
                    extent.EmbeddingChannels);
                int next = row + 1 + extent.Radius;
                if (workspace.OverChannels && next < extent.Height)
                {
                    Prefetch.Rows(
                        in value, strip.Image, next, 1, strip.Column, strip.Columns, extent.ValueChannels);
                }
            }
            int quads = StripQueries.Quads(in extent, in strip, row);
            for (int quad = 0; quad < quads; quad++)
            {
                QuadTile<TSimd, TStorage, T, TVector>.Load(
                    in query, in strip, row, quad, in extent, workspace.Queries, extent.EmbeddingChannels);
                WindowSteps<TSimd, TStorage, T, TVector>.Dots(
                    workspace.Queries,
                    workspace.Keys.Taps,
                    extent.Taps,
                    workspace.Keys.ChannelStride,
                    extent.EmbeddingChannels,
                    workspace.Scores);
                WindowSteps<TSimd, TStorage, T, TVector>.ScoreOutside<TBorder>(
                    workspace.Scores, in extent, in strip, row, TBorder.OutsideScore<T>());
                WindowSteps<TSimd, TStorage, T, TVector>.Normalise<TNormalisation>(workspace.Scores, extent.Taps, normaliser);
                if (normaliser is not null)
                    SimdScalarMap<T>.Store(normaliser, in normaliserMap, in strip, row, quad, in extent, TSimd.Lanes);
                if (TBorder.Replicates)
                    WindowSteps<TSimd, TStorage, T, TVector>.Fold(workspace.Scores, in extent, in strip, row);
                if (workspace.OverChannels)
                {
                    WindowSteps<TSimd, TStorage, T, TVector>.SumsOverChannels(
                        workspace.Scores,
                        in value,
                        extent.ValueChannels,
                        in output,
                        in extent,
                        in strip,
                        row,
                        quad);
                }
                else
                {
                    WindowSteps<TSimd, TStorage, T, TVector>.SumsOverCells(
                        workspace.Scores,
                        workspace.Values.Taps,
                        extent.Taps,
                        workspace.Values.ChannelStride,
                        extent.ValueChannels,
                        workspace.Sums,
                        in output,
                        in strip,
                        row,
                        quad,
                        in extent);
                }
            }
        }
    }

    private struct Workspace
    {
        public bool OverChannels;
        public WindowRows<TSimd, TStorage, T, TVector> Keys;
        public WindowRows<TSimd, TStorage, T, TVector> Values;
        public T* Queries;
        public T* Scores;
        public T* Normaliser;
        public T* Sums;

        public Workspace(
            ref ScratchAllocator scratch, in WindowAttentionParameters<TStorage, T> parameters, in Strip strip)
        {
            ref readonly var extent = ref parameters.Extent;
            int lanes = TSimd.Lanes;
            OverChannels = SimdFormats.OverChannels(
                in parameters.Value, in parameters.Output, extent.ValueChannels, lanes);
            Keys = new(ref scratch, in parameters.Key, in extent, extent.EmbeddingChannels, in strip, TBorder.Replicates);
            Values = default;
            if (!OverChannels)
                Values = new(ref scratch, in parameters.Value, in extent, extent.ValueChannels, in strip, replicates: false);
            Queries = scratch.Take<T>(4L * lanes * extent.EmbeddingChannels);
            Scores = scratch.Take<T>(4L * lanes * extent.Taps);
            Normaliser = scratch.Take<T>(4L * lanes);
            Sums = scratch.Take<T>(16L * lanes);
        }
    }
}

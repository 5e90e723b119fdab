using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gather of the backward on the CPU. A tile is a block of cells whose sums, one block of channels at a time, stay
/// in the cache while the queries around them pass by; the lanes are channels. Every sum adds its contributions in the
/// order of the queries, so the result does not depend on the tiling.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic of source and result.</typeparam>
/// <typeparam name="TStorage">The type of source and result.</typeparam>
/// <typeparam name="T">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="T"/>.</typeparam>
/// <typeparam name="TWeightElement">The element type of the weights.</typeparam>
/// <typeparam name="TWeight">The type of the weights in memory.</typeparam>
public readonly unsafe struct TransposedReassemblyProgram<TSimd, TStorage, T, TVector, TWeightElement, TWeight>
    : ITileProgram<TransposedReassemblyParameters<TStorage, TWeight>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TWeightElement : struct, IElement<TWeight, T>
    where TWeight : unmanaged
{
    private const int Columns = 16;
    private const int VectorsPerBlock = 4;

    /// <inheritdoc/>
    public static long TileCount(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        Tiling(in parameters).Count;

    /// <inheritdoc/>
    public static double Operations(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        WorkEstimate.Gather(in parameters.Extent, in parameters.Band, parameters.Extent.ValueChannels);

    /// <inheritdoc/>
    public static long ScratchBytes(in TransposedReassemblyParameters<TStorage, TWeight> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Block(ref scratch, in parameters, default);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters, long tile, byte* scratch)
    {
        var strip = Tiling(in parameters)[tile];
        ref readonly var extent = ref parameters.Extent;
        var allocator = new ScratchAllocator(scratch);
        var block = new Block(ref allocator, in parameters, in strip);
        int radius = extent.Radius;
        int firstSourceRow = Math.Max(0, strip.Row - radius);
        int endSourceRow = Math.Min(extent.Height, strip.RowEnd + radius);
        for (int channel = 0; channel < extent.ValueChannels; channel += Block.Width)
        {
            block.Begin(channel, extent.ValueChannels);
            for (int sourceRow = firstSourceRow; sourceRow < endSourceRow; sourceRow++)
            {
                block.Open(sourceRow);
                int firstRow = Math.Max(strip.Row, sourceRow - radius);
                int endRow = Math.Min(strip.RowEnd, sourceRow + radius + 1);
                for (int row = firstRow; row < endRow; row++)
                    block.Add(sourceRow, row);
            }
            block.Finish(parameters.Accumulate != 0);
        }
    }

    private static StripTiling Tiling(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        new(parameters.Extent.Width, in parameters.Band, Columns, mostStrips: 1);

    // The sums of one tile for one block of channels: [row][column][channel].
    private ref struct Block
    {
        private readonly WindowExtent extent;
        private readonly Strip strip;
        private readonly MapPointer<TWeight> weights;
        private readonly MapPointer<TStorage> source;
        private readonly MapPointer<TStorage> result;
        private readonly T* sums;
        private readonly TStorage* staged;
        private readonly T* stagedWide;
        private readonly int firstSourceColumn;
        private readonly int endSourceColumn;
        private int firstChannel;
        private int channels;
        private TStorage* sourceBase;
        private nint sourceRowStep;
        private nint sourceColumnStep;

        public Block(
            ref ScratchAllocator scratch,
            in TransposedReassemblyParameters<TStorage, TWeight> parameters,
            in Strip strip)
        {
            extent = parameters.Extent;
            this.strip = strip;
            weights = new(in parameters.Weights);
            source = new(in parameters.Source);
            result = new(in parameters.Result);
            firstSourceColumn = Math.Max(0, strip.Column - extent.Radius);
            endSourceColumn = Math.Min(extent.Width, strip.Column + strip.Columns + extent.Radius);
            var tiling = Tiling(in parameters);
            sums = scratch.Take<T>((long)tiling.RowsPerTile * Columns * Width);
            long queryColumns = Math.Min(
                extent.Columns.Queries, (long)(Columns + 2 * extent.Radius) * extent.Columns.MaximumCount);
            staged = scratch.Take<TStorage>(queryColumns * extent.Rows.MaximumCount * Width);
            stagedWide = scratch.Take<T>(queryColumns * Width);
            firstChannel = 0;
            channels = 0;
            sourceBase = null;
            sourceRowStep = 0;
            sourceColumnStep = 0;
        }

        /// <summary>Gets the channels of a block.</summary>
        public static int Width => VectorsPerBlock * TSimd.Lanes;

        public void Begin(int first, int all)
        {
            firstChannel = first;
            channels = Math.Min(Width, all - first);
            new Span<T>(sums, (strip.RowEnd - strip.Row) * Columns * Width).Clear();
        }

        /// <summary>
        /// Makes the queries of a row of cells readable as [row in cell][column][channel]: in place where the tensor
        /// is channels-last and has a whole block of channels, otherwise by a copy padded with zeros.
        /// </summary>
        public void Open(int sourceRow)
        {
            int firstRow = extent.Rows.First(sourceRow);
            int rows = extent.Rows.Count(sourceRow);
            int firstColumn = extent.Columns.First(firstSourceColumn);
            if (source.IsChannelsLast && channels == Width)
            {
                sourceBase = source.At(strip.Image, firstChannel, firstRow, firstColumn);
                sourceRowStep = source.RowStride;
                sourceColumnStep = source.ColumnStride;
                return;
            }

            int count = extent.Columns.First(endSourceColumn) - firstColumn;
            sourceBase = staged;
            sourceColumnStep = Width;
            sourceRowStep = (nint)count * Width;
            new Span<TStorage>(staged, rows * count * Width).Clear();
            for (int i = 0; i < rows; i++)
            {
                TStorage* from = source.At(strip.Image, firstChannel, firstRow + i, firstColumn);
                TStorage* to = staged + i * sourceRowStep;
                if (source.IsChannelsLast)
                {
                    for (int column = 0; column < count; column++)
                    {
                        new ReadOnlySpan<TStorage>(from + column * source.ColumnStride, channels)
                            .CopyTo(new Span<TStorage>(to + (nint)column * Width, channels));
                    }
                    continue;
                }

                // Planes of columns to rows of channels, by way of the accumulator type.
                for (int channel = 0; channel < channels; channel++)
                {
                    TSimd.Gather(
                        from + channel * source.ChannelStride, source.ColumnStride, stagedWide + channel * count, count);
                }
                TSimd.TransposeBack(stagedWide, count, to, Width, channels, count);
            }
        }

        /// <summary>Adds the queries of a row of cells to the sums of another row within its windows.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Add(int sourceRow, int row)
        {
            int radius = extent.Radius;
            int firstTap = (row - sourceRow + radius) * extent.Window;
            T* rowSums = sums + (nint)(row - strip.Row) * Columns * Width;
            int stripEnd = strip.Column + strip.Columns;
            var queries = new CellQueries
            {
                Rows = extent.Rows.Count(sourceRow),
                SourceRowStep = sourceRowStep,
                SourceColumnStep = sourceColumnStep,
                WeightRowStep = weights.RowStride,
                WeightColumnStep = weights.ColumnStride,
                WeightTapStep = weights.ChannelStride,
            };
            int firstRow = extent.Rows.First(sourceRow);
            int firstColumn = extent.Columns.First(firstSourceColumn);
            int queryColumn = firstColumn;
            for (int cell = firstSourceColumn; cell < endSourceColumn; cell++)
            {
                queries.Columns = extent.Columns.First(cell + 1) - queryColumn;
                int column = Math.Max(strip.Column, cell - radius);
                int endColumn = Math.Min(stripEnd, cell + radius + 1);
                TStorage* cellSource = sourceBase + (queryColumn - firstColumn) * sourceColumnStep;
                TWeight* cellWeights = weights.At(strip.Image, 0, firstRow, queryColumn);
                queryColumn += queries.Columns;
                for (; column + 4 <= endColumn; column += 4)
                {
                    int tap = firstTap + column - cell + radius;
                    FourCells(
                        rowSums + (nint)(column - strip.Column) * Width,
                        cellSource,
                        cellWeights + tap * weights.ChannelStride,
                        in queries);
                }
                for (; column < endColumn; column++)
                {
                    int tap = firstTap + column - cell + radius;
                    OneCell(
                        rowSums + (nint)(column - strip.Column) * Width,
                        cellSource,
                        cellWeights + tap * weights.ChannelStride,
                        in queries);
                }
            }
        }

        public readonly void Finish(bool accumulate)
        {
            for (int row = strip.Row; row < strip.RowEnd; row++)
            {
                T* rowSums = sums + (nint)(row - strip.Row) * Columns * Width;
                TStorage* destination = result.At(strip.Image, firstChannel, row, strip.Column);
                if (accumulate)
                    AddKnown(rowSums, destination);
                if (!result.IsChannelsLast && result.ColumnStride == 1)
                {
                    TSimd.TransposeBack(
                        rowSums, Width, destination, result.ChannelStride, strip.Columns, channels);
                    continue;
                }
                for (int column = 0; column < strip.Columns; column++)
                {
                    TSimd.Scatter(
                        rowSums + (nint)column * Width,
                        destination + column * result.ColumnStride,
                        result.ChannelStride,
                        channels);
                }
            }
        }

        private readonly void AddKnown(T* rowSums, TStorage* known)
        {
            for (int column = 0; column < strip.Columns; column++)
            {
                for (int channel = 0; channel < channels; channel++)
                {
                    rowSums[(nint)column * Width + channel] +=
                        TSimd.Widen(known[column * result.ColumnStride + channel * result.ChannelStride]);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void FourCells(T* sums, TStorage* source, TWeight* weights, in CellQueries queries)
        {
            int lanes = TSimd.Lanes;
            nint next = VectorsPerBlock * lanes;
            var s00 = TSimd.Load(sums);
            var s01 = TSimd.Load(sums + lanes);
            var s02 = TSimd.Load(sums + 2 * lanes);
            var s03 = TSimd.Load(sums + 3 * lanes);
            var s10 = TSimd.Load(sums + next);
            var s11 = TSimd.Load(sums + next + lanes);
            var s12 = TSimd.Load(sums + next + 2 * lanes);
            var s13 = TSimd.Load(sums + next + 3 * lanes);
            var s20 = TSimd.Load(sums + 2 * next);
            var s21 = TSimd.Load(sums + 2 * next + lanes);
            var s22 = TSimd.Load(sums + 2 * next + 2 * lanes);
            var s23 = TSimd.Load(sums + 2 * next + 3 * lanes);
            var s30 = TSimd.Load(sums + 3 * next);
            var s31 = TSimd.Load(sums + 3 * next + lanes);
            var s32 = TSimd.Load(sums + 3 * next + 2 * lanes);
            var s33 = TSimd.Load(sums + 3 * next + 3 * lanes);
            nint tapStep = queries.WeightTapStep;
            for (int i = 0; i < queries.Rows; i++)
            {
                TStorage* value = source + i * queries.SourceRowStep;
                TWeight* weight = weights + i * queries.WeightRowStep;
                for (int j = 0; j < queries.Columns; j++)
                {
                    var v0 = TSimd.LoadStorage(value);
                    var v1 = TSimd.LoadStorage(value + lanes);
                    var v2 = TSimd.LoadStorage(value + 2 * lanes);
                    var v3 = TSimd.LoadStorage(value + 3 * lanes);
                    var w = TSimd.Broadcast(TWeightElement.Load(*weight));
                    s00 = TSimd.MultiplyAdd(w, v0, s00);
                    s01 = TSimd.MultiplyAdd(w, v1, s01);
                    s02 = TSimd.MultiplyAdd(w, v2, s02);
                    s03 = TSimd.MultiplyAdd(w, v3, s03);
                    w = TSimd.Broadcast(TWeightElement.Load(weight[tapStep]));
                    s10 = TSimd.MultiplyAdd(w, v0, s10);
                    s11 = TSimd.MultiplyAdd(w, v1, s11);
                    s12 = TSimd.MultiplyAdd(w, v2, s12);
                    s13 = TSimd.MultiplyAdd(w, v3, s13);
                    w = TSimd.Broadcast(TWeightElement.Load(weight[2 * tapStep]));
                    s20 = TSimd.MultiplyAdd(w, v0, s20);
                    s21 = TSimd.MultiplyAdd(w, v1, s21);
                    s22 = TSimd.MultiplyAdd(w, v2, s22);
                    s23 = TSimd.MultiplyAdd(w, v3, s23);
                    w = TSimd.Broadcast(TWeightElement.Load(weight[3 * tapStep]));
                    s30 = TSimd.MultiplyAdd(w, v0, s30);
                    s31 = TSimd.MultiplyAdd(w, v1, s31);
                    s32 = TSimd.MultiplyAdd(w, v2, s32);
                    s33 = TSimd.MultiplyAdd(w, v3, s33);
                    value += queries.SourceColumnStep;
                    weight += queries.WeightColumnStep;
                }
            }
            TSimd.Store(sums, s00);
            TSimd.Store(sums + lanes, s01);
            TSimd.Store(sums + 2 * lanes, s02);
            TSimd.Store(sums + 3 * lanes, s03);
            TSimd.Store(sums + next, s10);
            TSimd.Store(sums + next + lanes, s11);
            TSimd.Store(sums + next + 2 * lanes, s12);
            TSimd.Store(sums + next + 3 * lanes, s13);
            TSimd.Store(sums + 2 * next, s20);
            TSimd.Store(sums + 2 * next + lanes, s21);
            TSimd.Store(sums + 2 * next + 2 * lanes, s22);
            TSimd.Store(sums + 2 * next + 3 * lanes, s23);
            TSimd.Store(sums + 3 * next, s30);
            TSimd.Store(sums + 3 * next + lanes, s31);
            TSimd.Store(sums + 3 * next + 2 * lanes, s32);
            TSimd.Store(sums + 3 * next + 3 * lanes, s33);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void OneCell(T* sums, TStorage* source, TWeight* weights, in CellQueries queries)
        {
            int lanes = TSimd.Lanes;
            var s0 = TSimd.Load(sums);
            var s1 = TSimd.Load(sums + lanes);
            var s2 = TSimd.Load(sums + 2 * lanes);
            var s3 = TSimd.Load(sums + 3 * lanes);
            for (int i = 0; i < queries.Rows; i++)
            {
                TStorage* value = source + i * queries.SourceRowStep;
                TWeight* weight = weights + i * queries.WeightRowStep;
                for (int j = 0; j < queries.Columns; j++)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(*weight));
                    s0 = TSimd.MultiplyAdd(w, TSimd.LoadStorage(value), s0);
                    s1 = TSimd.MultiplyAdd(w, TSimd.LoadStorage(value + lanes), s1);
                    s2 = TSimd.MultiplyAdd(w, TSimd.LoadStorage(value + 2 * lanes), s2);
                    s3 = TSimd.MultiplyAdd(w, TSimd.LoadStorage(value + 3 * lanes), s3);
                    value += queries.SourceColumnStep;
                    weight += queries.WeightColumnStep;
                }
            }
            TSimd.Store(sums, s0);
            TSimd.Store(sums + lanes, s1);
            TSimd.Store(sums + 2 * lanes, s2);
            TSimd.Store(sums + 3 * lanes, s3);
        }
    }

    // How to step through the queries of one cell.
    private struct CellQueries
    {
        public int Rows;
        public int Columns;
        public nint SourceRowStep;
        public nint SourceColumnStep;
        public nint WeightRowStep;
        public nint WeightColumnStep;
        public nint WeightTapStep;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gather of the backward on the CPU. A tile is a block of cells; the queries around them are staged, some channels
/// at a time, with the lanes over channels, or read where they are. For every row of cells, the queries of a column are multiplied once with
/// their weights of a row of taps and added to the neighbouring cells that these stand for, whose sums are in registers
/// meanwhile. Where cells have many queries, this is done for every cell of queries instead of every row of sums. Every
/// sum adds its contributions in the same order, so the result does not depend on the tiling.
/// </summary>
/// <typeparam name="TSimd">The vector arithmetic of source and result.</typeparam>
/// <typeparam name="TStorage">The type of source and result.</typeparam>
/// <typeparam name="TReal">The type of the arithmetic and of the weights.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="TReal"/>.</typeparam>
internal readonly unsafe struct TransposedReassemblyProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<TransposedReassemblyParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    // The neighbouring cells whose sums the registers hold, four vectors of channels each, or two of the narrower ones.
    private const int MostCells = 5;

    // Channels-last queries are read as they lie. Those of contiguous maps are read in runs, which the processor
    // foresees where they are long, so that tiles are wide, and to stay in the second cache are of fewer channels.
    private const int PixelColumns = 24;
    private const int PixelChannels = 256;
    private const int PlaneColumns = 120;
    private const int PlaneChannels = 64;

    // The queries above a tile are staged for it as well: the higher it is, the fewer twice.
    private const int MostRows = 32;

    // Where each part of the channels is a tile, the second cache is to hold the weights for the next part.
    private const int MostPartRows = 16;

    public static long TileCount(in TransposedReassemblyParameters<TStorage, TReal> parameters) =>
        Tiling(in parameters).Count * ChannelParts(in parameters);

    public static double Operations(in TransposedReassemblyParameters<TStorage, TReal> parameters) =>
        WorkEstimate.Gather(in parameters.Extent, in parameters.Band, parameters.Extent.ValueChannels);

    public static long ScratchBytes(in TransposedReassemblyParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters, default);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(
        in TransposedReassemblyParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        int parts = ChannelParts(in parameters);
        (tile, long part) = Math.DivRem(tile, parts);
        var cells = Tiling(in parameters)[tile];
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, in cells);
        int all = parameters.Extent.ValueChannels;
        int most = MostChannels(in parameters);
        int end = parts == 1 ? all : Math.Min(all, ((int)part + 1) * most);
        for (int channel = (int)part * most; channel < end; channel += most)
        {
            int channels = Math.Min(most, end - channel);
            workspace.Queries.Begin(cells.Row, channel, channels);
            if (Scatters(in parameters.Extent))
            {
                Scatter(in parameters, in cells, channels, in workspace);
                for (int row = cells.Row; row < cells.RowEnd; row++)
                    Finish(
                        in parameters,
                        in cells,
                        row,
                        channel,
                        channels,
                        workspace.SumRow(row - cells.Row),
                        workspace.Stride);
                continue;
            }
            for (int row = cells.Row; row < cells.RowEnd; row++)
            {
                workspace.Queries.MoveTo(row);
                var next = default(PrefetchQueue);
                if (row + 1 < cells.RowEnd)
                    PrefetchNextRow(in parameters, in cells, row + 1, channel, channels, in workspace, ref next);
                SumRow(in parameters, in cells, row, channels, in workspace, ref next);
                Finish(in parameters, in cells, row, channel, channels, workspace.Sums, workspace.Stride);
            }
        }
    }

    // Where cells have many queries, what those of a cell contribute to the cells around it is a product of two
    // matrices that the caches hold; gathered by the cells around, each query would be read for every row of its window
    // from further away.
    private static bool Scatters(in WindowExtent extent)
    {
        const int FewestQueries = 16;
        return extent.IsUniform && extent.Rows.Scale * extent.Columns.Scale >= FewestQueries;
    }

    private static StripTiling Tiling(in TransposedReassemblyParameters<TStorage, TReal> parameters)
    {
        int parts = ChannelParts(in parameters);
        var band = parameters.Band with { FewestTiles = (parameters.Band.FewestTiles + parts - 1) / parts };
        return new(parameters.Extent.Width, in band, Columns(in parameters), mostStrips: 1, parts == 1 ? MostRows : MostPartRows);
    }

    // The tiles that cells are cut into by their channels, where queries are staged some channels at a time: the more of
    // these there are, the higher a tile may be, and the fewer queries are staged twice.
    private static int ChannelParts(in TransposedReassemblyParameters<TStorage, TReal> parameters)
    {
        if (parameters.Source.ChannelStride == 1 || Scatters(in parameters.Extent))
            return 1;
        int most = MostChannels(in parameters);
        return (parameters.Extent.ValueChannels + most - 1) / most;
    }

    private static int Columns(in TransposedReassemblyParameters<TStorage, TReal> parameters) =>
        parameters.Source.ChannelStride == 1 ? PixelColumns : PlaneColumns;

    private static int MostChannels(in TransposedReassemblyParameters<TStorage, TReal> parameters) => Math.Min(
        parameters.Source.ChannelStride == 1 && !Scatters(in parameters.Extent) ? PixelChannels : PlaneChannels,
        parameters.Extent.ValueChannels);

    // A row of sums, column by column of the queries around it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumRow(
        in TransposedReassemblyParameters<TStorage, TReal> parameters,
        in Strip cells,
        int row,
        int channels,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        ref readonly var extent = ref parameters.Extent;
        new Span<TReal>(workspace.Sums, workspace.SumRowLength).Clear();
        int rows = ListRows(in extent, cells.Image, row, in workspace);
        for (int channel = 0, step; channel < channels; channel += step)
        {
            step = ChannelsPerStep(channel, channels);
            for (int column = workspace.Queries.FirstCell; column < workspace.Queries.EndCell; column++)
            {
                AddColumn(
                    in extent, in cells, column, workspace.Rows, rows, channel, step, workspace.Sums, in workspace);
                next.Step();
            }
        }
    }

    // What the next row reads for the first time: the queries of the last row of its windows.
    private static void PrefetchNextRow(
        in TransposedReassemblyParameters<TStorage, TReal> parameters,
        in Strip cells,
        int row,
        int firstChannel,
        int channels,
        in Workspace workspace,
        ref PrefetchQueue next)
    {
        int last = row + parameters.Extent.Radius;
        if (last >= parameters.Extent.Height)
            return;
        var read = cells;
        read.Column = workspace.Queries.FirstCell;
        read.Columns = workspace.Queries.EndCell - read.Column;
        var source = new MapPointer<TStorage>(in parameters.Source);
        next.AddQueries(in source, in read, last, in parameters.Extent, channels, firstChannel: firstChannel);
        next.Plan(read.Columns * (channels + 4 * TSimd.Lanes - 1) / (4 * TSimd.Lanes));
    }

    // Adds what the queries of every cell that reaches into the tile contribute to the cells in it, a row of taps at a
    // time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scatter(
        in TransposedReassemblyParameters<TStorage, TReal> parameters,
        in Strip cells,
        int channels,
        in Workspace workspace)
    {
        ref readonly var extent = ref parameters.Extent;
        new Span<TReal>(workspace.Sums, (cells.RowEnd - cells.Row) * workspace.SumRowLength).Clear();
        int end = Math.Min(extent.Height, cells.RowEnd + extent.Radius);
        for (int row = Math.Max(0, cells.Row - extent.Radius); row < end; row++)
        {
            workspace.Queries.Take(row);
            int firstTap = Math.Max(0, cells.Row - row + extent.Radius);
            int endTap = Math.Min(extent.Window, cells.RowEnd - row + extent.Radius);
            int rows = extent.Rows.Count(row);
            for (int tap = firstTap; tap < endTap; tap++)
                ListRows(in extent, cells.Image, row, tap, tap * rows, in workspace);
            for (int column = workspace.Queries.FirstCell; column < workspace.Queries.EndCell; column++)
            {
                for (int tap = firstTap; tap < endTap; tap++)
                {
                    QueryRow* listed = workspace.Rows + tap * rows;
                    TReal* sums = workspace.SumRow(row + tap - extent.Radius - cells.Row);
                    for (int channel = 0, step; channel < channels; channel += step)
                    {
                        step = ChannelsPerStep(channel, channels);
                        AddColumn(in extent, in cells, column, listed, rows, channel, step, sums, in workspace);
                    }
                }
            }
        }
    }

    // The channels that a step works on: those of four vectors of 512 bits, or of two.
    private static int ChannelsPerStep(int channel, int channels) =>
        TSimd.Lanes * sizeof(TReal) >= 64 && channels - channel > 2 * TSimd.Lanes ? 4 * TSimd.Lanes : 2 * TSimd.Lanes;

    // The rows of queries in whose windows a row of cells lies.
    private static int ListRows(in WindowExtent extent, int image, int row, in Workspace workspace)
    {
        int count = 0;
        int end = Math.Min(extent.Height, row + extent.Radius + 1);
        for (int cellRow = Math.Max(0, row - extent.Radius); cellRow < end; cellRow++)
            count += ListRows(in extent, image, cellRow, row - cellRow + extent.Radius, count, in workspace);
        return count;
    }

    // The rows of queries of a row of cells, with their weights of a row of taps.
    private static int ListRows(
        in WindowExtent extent, int image, int cellRow, int tapRow, int listed, in Workspace workspace)
    {
        int first = extent.Rows.First(cellRow);
        int rows = extent.Rows.Count(cellRow);
        for (int i = 0; i < rows; i++)
        {
            workspace.Rows[listed + i] = new QueryRow
            {
                Value = workspace.Queries.Row(cellRow) + i * workspace.Queries.RowStride,
                Weight = workspace.Weights.At(image, tapRow * extent.Window, first + i, 0),
            };
        }
        return rows;
    }

    // Adds what the queries of a column contribute to the cells around it that the tile has.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddColumn(
        in WindowExtent extent,
        in Strip cells,
        int column,
        QueryRow* rows,
        int rowCount,
        int channel,
        int channels,
        TReal* sums,
        in Workspace workspace)
    {
        int target = column - extent.Radius - cells.Column;
        int end = Math.Min(extent.Window, cells.Columns - target);
        var queries = new QueryColumn
        {
            Rows = rows,
            RowCount = rowCount,
            Count = extent.Columns.Count(column),
            First = workspace.Queries.Before(column) * workspace.Queries.Stride + channel,
            Step = workspace.Queries.Stride,
            WeightStep = workspace.Weights.ColumnStride,
            TapStep = workspace.Weights.ChannelStride,
            SumStep = workspace.Stride,
        };
        bool isWide = channels > 2 * TSimd.Lanes;
        for (int tap = Math.Max(0, -target); tap < end; tap += MostCells)
        {
            queries.FirstWeight =
                extent.Columns.First(column) * workspace.Weights.ColumnStride + tap * workspace.Weights.ChannelStride;
            TReal* own = sums + (nint)(target + tap) * workspace.Stride + channel;
            if (isWide)
                AddQueries<Four>(in queries, Math.Min(MostCells, end - tap), own);
            else
                AddQueries<Two>(in queries, Math.Min(MostCells, end - tap), own);
        }
    }

    private static void AddQueries<TVectors>(in QueryColumn queries, int cells, TReal* sums)
        where TVectors : struct, ICount
    {
        switch (cells)
        {
            case 1:
                AddQueries<One, TVectors>(in queries, sums);
                break;
            case 2:
                AddQueries<Two, TVectors>(in queries, sums);
                break;
            case 3:
                AddQueries<Three, TVectors>(in queries, sums);
                break;
            case 4:
                AddQueries<Four, TVectors>(in queries, sums);
                break;
            default:
                AddQueries<Five, TVectors>(in queries, sums);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish(
        in TransposedReassemblyParameters<TStorage, TReal> parameters,
        in Strip cells,
        int row,
        int firstChannel,
        int channels,
        TReal* sums,
        int stride)
    {
        var result = new MapPointer<TStorage>(in parameters.Result);
        TStorage* destination = result.At(cells.Image, firstChannel, row, cells.Column);
        if (parameters.Accumulate != 0)
            AddKnown(in result, destination, cells.Columns, channels, sums, stride);
        if (result.ColumnStride == 1 && !result.IsChannelsLast)
        {
            TSimd.TransposeBack(
                sums, stride, destination, result.ChannelStride, cells.Columns, channels);
            return;
        }
        for (int column = 0; column < cells.Columns; column++)
        {
            TSimd.Scatter(
                sums + (nint)column * stride,
                destination + column * result.ColumnStride,
                result.ChannelStride,
                channels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddKnown(
        in MapPointer<TStorage> result, TStorage* known, int columns, int channels, TReal* sums, int stride)
    {
        for (int column = 0; column < columns; column++, sums += stride)
        {
            for (int channel = 0; channel < channels; channel++)
                sums[channel] += TSimd.Widen(known[column * result.ColumnStride + channel * result.ChannelStride]);
        }
    }

    // Written out, so that all sums stay in registers, and without calls, which would take them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddQueries<TCells, TVectors>(in QueryColumn queries, TReal* sums)
        where TCells : struct, ICount
        where TVectors : struct, ICount
    {
        int lanes = TSimd.Lanes;
        nint tapStep = queries.TapStep;
        nint step = queries.Step;
        nint weightStep = queries.WeightStep;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        TVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        TVector s40 = zero, s41 = zero, s42 = zero, s43 = zero;
        TReal* sums1 = sums + queries.SumStep;
        TReal* sums2 = sums1 + queries.SumStep;
        TReal* sums3 = sums2 + queries.SumStep;
        TReal* sums4 = sums3 + queries.SumStep;
        s00 = TSimd.Load(sums);
        s01 = TSimd.Load(sums + lanes);
        if (TVectors.Value > 2)
        {
            s02 = TSimd.Load(sums + 2 * lanes);
            s03 = TSimd.Load(sums + 3 * lanes);
        }
        if (TCells.Value > 1)
        {
            s10 = TSimd.Load(sums1);
            s11 = TSimd.Load(sums1 + lanes);
            if (TVectors.Value > 2)
            {
                s12 = TSimd.Load(sums1 + 2 * lanes);
                s13 = TSimd.Load(sums1 + 3 * lanes);
            }
        }
        if (TCells.Value > 2)
        {
            s20 = TSimd.Load(sums2);
            s21 = TSimd.Load(sums2 + lanes);
            if (TVectors.Value > 2)
            {
                s22 = TSimd.Load(sums2 + 2 * lanes);
                s23 = TSimd.Load(sums2 + 3 * lanes);
            }
        }
        if (TCells.Value > 3)
        {
            s30 = TSimd.Load(sums3);
            s31 = TSimd.Load(sums3 + lanes);
            if (TVectors.Value > 2)
            {
                s32 = TSimd.Load(sums3 + 2 * lanes);
                s33 = TSimd.Load(sums3 + 3 * lanes);
            }
        }
        if (TCells.Value > 4)
        {
            s40 = TSimd.Load(sums4);
            s41 = TSimd.Load(sums4 + lanes);
            if (TVectors.Value > 2)
            {
                s42 = TSimd.Load(sums4 + 2 * lanes);
                s43 = TSimd.Load(sums4 + 3 * lanes);
            }
        }
        for (int row = 0; row < queries.RowCount; row++)
        {
            TReal* value = queries.Rows[row].Value + queries.First;
            TReal* weight = queries.Rows[row].Weight + queries.FirstWeight;
            for (int query = 0; query < queries.Count; query++)
            {
                var v0 = TSimd.Load(value);
                var v1 = TSimd.Load(value + lanes);
                var v2 = TVectors.Value > 2 ? TSimd.Load(value + 2 * lanes) : zero;
                var v3 = TVectors.Value > 2 ? TSimd.Load(value + 3 * lanes) : zero;
                var w = TSimd.Broadcast(*weight);
                s00 = TSimd.MultiplyAdd(w, v0, s00);
                s01 = TSimd.MultiplyAdd(w, v1, s01);
                if (TVectors.Value > 2)
                {
                    s02 = TSimd.MultiplyAdd(w, v2, s02);
                    s03 = TSimd.MultiplyAdd(w, v3, s03);
                }
                if (TCells.Value > 1)
                {
                    w = TSimd.Broadcast(weight[tapStep]);
                    s10 = TSimd.MultiplyAdd(w, v0, s10);
                    s11 = TSimd.MultiplyAdd(w, v1, s11);
                    if (TVectors.Value > 2)
                    {
                        s12 = TSimd.MultiplyAdd(w, v2, s12);
                        s13 = TSimd.MultiplyAdd(w, v3, s13);
                    }
                }
                if (TCells.Value > 2)
                {
                    w = TSimd.Broadcast(weight[2 * tapStep]);
                    s20 = TSimd.MultiplyAdd(w, v0, s20);
                    s21 = TSimd.MultiplyAdd(w, v1, s21);
                    if (TVectors.Value > 2)
                    {
                        s22 = TSimd.MultiplyAdd(w, v2, s22);
                        s23 = TSimd.MultiplyAdd(w, v3, s23);
                    }
                }
                if (TCells.Value > 3)
                {
                    w = TSimd.Broadcast(weight[3 * tapStep]);
                    s30 = TSimd.MultiplyAdd(w, v0, s30);
                    s31 = TSimd.MultiplyAdd(w, v1, s31);
                    if (TVectors.Value > 2)
                    {
                        s32 = TSimd.MultiplyAdd(w, v2, s32);
                        s33 = TSimd.MultiplyAdd(w, v3, s33);
                    }
                }
                if (TCells.Value > 4)
                {
                    w = TSimd.Broadcast(weight[4 * tapStep]);
                    s40 = TSimd.MultiplyAdd(w, v0, s40);
                    s41 = TSimd.MultiplyAdd(w, v1, s41);
                    if (TVectors.Value > 2)
                    {
                        s42 = TSimd.MultiplyAdd(w, v2, s42);
                        s43 = TSimd.MultiplyAdd(w, v3, s43);
                    }
                }
                value += step;
                weight += weightStep;
            }
        }
        Keep<TVectors>(sums, s00, s01, s02, s03);
        if (TCells.Value > 1)
        {
            Keep<TVectors>(sums1, s10, s11, s12, s13);
        }
        if (TCells.Value > 2)
        {
            Keep<TVectors>(sums2, s20, s21, s22, s23);
        }
        if (TCells.Value > 3)
        {
            Keep<TVectors>(sums3, s30, s31, s32, s33);
        }
        if (TCells.Value > 4)
        {
            Keep<TVectors>(sums4, s40, s41, s42, s43);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<TVectors>(TReal* sums, TVector a, TVector b, TVector c, TVector d)
        where TVectors : struct, ICount
    {
        int lanes = TSimd.Lanes;
        TSimd.Store(sums, a);
        TSimd.Store(sums + lanes, b);
        if (TVectors.Value > 2)
        {
            TSimd.Store(sums + 2 * lanes, c);
            TSimd.Store(sums + 3 * lanes, d);
        }
    }

    // A row of queries: where it is staged, and the weights of its first column for the row of taps that is added.
    private struct QueryRow
    {
        public TReal* Value;
        public TReal* Weight;
    }

    // The queries of a column of cells in some rows, as offsets from those of the rows, with the steps to the next
    // query, from the weight of one tap to that of the next, and from the sums of one cell to those of the next.
    private struct QueryColumn
    {
        public QueryRow* Rows;
        public int RowCount;
        public int Count;
        public nint First;
        public nint Step;
        public nint FirstWeight;
        public nint WeightStep;
        public nint TapStep;
        public nint SumStep;
    }

    private struct Workspace
    {
        public QueryWindow<TSimd, TStorage, TReal, TVector> Queries;
        public MapPointer<TReal> Weights;
        public QueryRow* Rows;
        public TReal* Sums;
        public int SumRowLength;
        public int Stride;

        public Workspace(
            ref ScratchAllocator scratch,
            in TransposedReassemblyParameters<TStorage, TReal> parameters,
            in Strip cells)
        {
            int columns = Columns(in parameters);
            bool scatters = Scatters(in parameters.Extent);
            Queries = new(
                ref scratch,
                in parameters.Source,
                in parameters.Extent,
                in cells,
                columns,
                MostChannels(in parameters),
                slots: scatters ? 1 : parameters.Extent.Window,
                mayReadInPlace: !scatters);
            Weights = new(in parameters.Weights);
            ref readonly var extent = ref parameters.Extent;
            Rows = scratch.Take<QueryRow>((long)extent.Window * extent.Rows.MaximumCount);
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(MostChannels(in parameters));
            SumRowLength = columns * Stride;
            Sums = scratch.Take<TReal>((long)SumRowLength * (scatters ? Tiling(in parameters).RowsPerTile : 1));
        }

        public readonly TReal* SumRow(int row) => Sums + row * SumRowLength;
    }
}

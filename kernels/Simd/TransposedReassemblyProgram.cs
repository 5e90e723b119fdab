using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gather of the backward on the CPU. A tile is a block of cells; the queries around them are staged, some channels at a
/// time, and six neighbouring cells are summed at once over all queries that contribute to one of them, in registers and
/// with the lanes over channels. Where cells have many queries, those of one cell are added to the cells around it instead.
/// Every sum adds its contributions in the same order, so the result does not depend on the tiling.
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
    private const int CellsPerStep = 6;

    // Channels-last queries are read as they lie. Those of planes are read in runs, which the processor foresees where they
    // are long, so that tiles are wide, and to stay in the second cache are of fewer channels.
    private const int PixelColumns = 4 * CellsPerStep;
    private const int PixelChannels = 256;
    private const int PlaneColumns = 20 * CellsPerStep;
    private const int PlaneChannels = 64;

    // The vectors of channels that six cells sum in registers.
    private static int Vectors => TSimd.Lanes * sizeof(T) >= 64 ? 4 : 2;

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
        _ = new Workspace(ref scratch, in parameters, default);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters, long tile, byte* scratch)
    {
        var cells = Tiling(in parameters)[tile];
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters, in cells);
        int all = parameters.Extent.ValueChannels;
        int most = MostChannels(in parameters);
        for (int channel = 0; channel < all; channel += most)
        {
            int channels = Math.Min(most, all - channel);
            workspace.Queries.Begin(cells.Row, channel, channels);
            if (Scatters(in parameters.Extent))
            {
                Scatter(in parameters, in cells, channels, in workspace);
                for (int row = cells.Row; row < cells.RowEnd; row++)
                    Finish(in parameters, in cells, row, channel, channels, workspace.SumRow(row - cells.Row), workspace.Stride);
                continue;
            }
            for (int row = cells.Row; row < cells.RowEnd; row++)
            {
                workspace.Queries.MoveTo(row);
                SumRow(in parameters, in cells, row, channels, in workspace);
                Finish(in parameters, in cells, row, channel, channels, workspace.Sums, workspace.Stride);
            }
        }
    }

    // Where cells have many queries, what those of a cell contribute to the cells around it is a product of two matrices that
    // the caches hold; gathered by the cells around, each query would be read for every row of its window from further away.
    private static bool Scatters(in WindowExtent extent)
    {
        const int FewestQueries = 16;
        return extent.IsUniform && extent.Rows.Scale * extent.Columns.Scale >= FewestQueries;
    }

    private static StripTiling Tiling(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        new(parameters.Extent.Width, in parameters.Band, Columns(in parameters), mostStrips: 1);

    private static int Columns(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        parameters.Source.ChannelStride == 1 ? PixelColumns : PlaneColumns;

    private static int MostChannels(in TransposedReassemblyParameters<TStorage, TWeight> parameters) => Math.Min(
        parameters.Source.ChannelStride == 1 && !Scatters(in parameters.Extent) ? PixelChannels : PlaneChannels,
        parameters.Extent.ValueChannels);

    // The loops over queries must not call anything: a call takes all vector registers, and with them the sums.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumRow(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters,
        in Strip cells,
        int row,
        int channels,
        in Workspace workspace)
    {
        int lanes = TSimd.Lanes;
        int rows = ListRows(in parameters.Extent, cells.Image, row, in workspace);
        nint tapStep = workspace.Weights.ChannelStride;
        for (int column = 0; column < cells.Columns; column += CellsPerStep)
        {
            int count = Math.Min(CellsPerStep, cells.Columns - column);
            int steps = ListSteps(in parameters.Extent, cells.Column + column, count, in workspace);
            T* sums = workspace.Sums + column * workspace.Stride;
            int channel = 0;
            if (Vectors == 4)
            {
                for (; channel + 2 * lanes < channels; channel += 4 * lanes)
                    SixByFour(workspace.Rows, rows, workspace.Steps, steps, tapStep, channel, sums, workspace.Stride);
            }
            for (; channel < channels; channel += 2 * lanes)
                SixByTwo(workspace.Rows, rows, workspace.Steps, steps, tapStep, channel, sums, workspace.Stride);
        }
    }

    // Adds what the queries of every cell that reaches into the tile contribute to the cells in it, a row of taps at a time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scatter(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters,
        in Strip cells,
        int channels,
        in Workspace workspace)
    {
        ref readonly var extent = ref parameters.Extent;
        new Span<T>(workspace.Sums, (cells.RowEnd - cells.Row) * workspace.SumRowLength).Clear();
        int end = Math.Min(extent.Height, cells.RowEnd + extent.Radius);
        for (int row = Math.Max(0, cells.Row - extent.Radius); row < end; row++)
        {
            workspace.Queries.Take(row);
            int firstTap = Math.Max(0, cells.Row - row + extent.Radius);
            int endTap = Math.Min(extent.Window, cells.RowEnd - row + extent.Radius);
            for (int column = workspace.Queries.FirstCell; column < workspace.Queries.EndCell; column++)
            {
                ListCell(in extent, cells.Image, row, column, in workspace);
                for (int tap = firstTap; tap < endTap; tap++)
                {
                    T* sums = workspace.SumRow(row + tap - extent.Radius - cells.Row);
                    AddTaps(in extent, in cells, column, tap, channels, sums, in workspace);
                }
            }
        }
    }

    // The queries of a cell, by the row, with the weights of their first taps.
    private static void ListCell(in WindowExtent extent, int image, int row, int column, in Workspace workspace)
    {
        int firstRow = extent.Rows.First(row);
        int firstColumn = extent.Columns.First(column);
        int before = workspace.Queries.Before(column);
        for (int i = 0; i < extent.Rows.Scale; i++)
        {
            workspace.Rows[i] = new QueryRow
            {
                Value = workspace.Queries.Row(row) + i * workspace.Queries.RowStride,
                Weight = workspace.Weights.At(image, 0, firstRow + i, 0),
            };
        }
        for (int j = 0; j < extent.Columns.Scale; j++)
        {
            workspace.Steps[j] = new QueryStep
            {
                Value = (nint)(before + j) * workspace.Queries.Stride,
                Weight = (firstColumn + j) * workspace.Weights.ColumnStride,
            };
        }
    }

    // Adds the products of a row of taps of the queries listed, six taps and so six neighbouring cells at a time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTaps(
        in WindowExtent extent, in Strip cells, int column, int tapRow, int channels, T* sums, in Workspace workspace)
    {
        int lanes = TSimd.Lanes;
        int rows = extent.Rows.Scale;
        int steps = extent.Columns.Scale;
        nint tapStep = workspace.Weights.ChannelStride;
        for (int tap = 0; tap < extent.Window; tap += CellsPerStep)
        {
            int target = column + tap - extent.Radius - cells.Column;
            int low = Math.Max(0, -target);
            int high = Math.Min(Math.Min(CellsPerStep, extent.Window - tap), cells.Columns - target) - 1;
            if (low > high)
                continue;
            int mask = (2 << high) - (1 << low);
            for (int i = 0; i < steps; i++)
                workspace.Steps[i].Mask = mask;
            nint first = (tapRow * extent.Window + tap) * tapStep;
            T* own = sums + target * workspace.Stride;
            int channel = 0;
            if (Vectors == 4)
            {
                for (; channel + 2 * lanes < channels; channel += 4 * lanes)
                {
                    SixByFour(
                        workspace.Rows, rows, workspace.Steps, steps, tapStep, channel, own, workspace.Stride, first, mask);
                }
            }
            for (; channel < channels; channel += 2 * lanes)
            {
                SixByTwo(
                    workspace.Rows, rows, workspace.Steps, steps, tapStep, channel, own, workspace.Stride, first, mask);
            }
        }
    }

    // The rows of queries in whose windows a row of cells lies.
    private static int ListRows(in WindowExtent extent, int image, int row, in Workspace workspace)
    {
        int count = 0;
        int end = Math.Min(extent.Height, row + extent.Radius + 1);
        for (int cellRow = Math.Max(0, row - extent.Radius); cellRow < end; cellRow++)
        {
            int first = extent.Rows.First(cellRow);
            int queryRows = extent.Rows.Count(cellRow);
            nint tap = (nint)(row - cellRow + extent.Radius) * extent.Window * workspace.Weights.ChannelStride;
            for (int i = 0; i < queryRows; i++)
            {
                workspace.Rows[count++] = new QueryRow
                {
                    Value = workspace.Queries.Row(cellRow) + i * workspace.Queries.RowStride,
                    Weight = workspace.Weights.At(image, 0, first + i, 0) + tap,
                };
            }
        }
        return count;
    }

    // The queries of a row in whose windows some cells lie.
    private static int ListSteps(in WindowExtent extent, int column, int cells, in Workspace workspace)
    {
        int count = 0;
        int end = Math.Min(extent.Width, column + cells + extent.Radius);
        for (int cell = Math.Max(0, column - extent.Radius); cell < end; cell++)
        {
            int low = Math.Max(0, cell - extent.Radius - column);
            int high = Math.Min(cells - 1, cell + extent.Radius - column);
            int first = extent.Columns.First(cell);
            int queries = extent.Columns.Count(cell);
            int before = workspace.Queries.Before(cell);
            nint tap = (column + extent.Radius - cell) * workspace.Weights.ChannelStride;
            for (int j = 0; j < queries; j++)
            {
                workspace.Steps[count++] = new QueryStep
                {
                    Value = (nint)(before + j) * workspace.Queries.Stride,
                    Weight = (first + j) * workspace.Weights.ColumnStride + tap,
                    Mask = (2 << high) - (1 << low),
                };
            }
        }
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters,
        in Strip cells,
        int row,
        int firstChannel,
        int channels,
        T* sums,
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
        in MapPointer<TStorage> result, TStorage* known, int columns, int channels, T* sums, int stride)
    {
        for (int column = 0; column < columns; column++, sums += stride)
        {
            for (int channel = 0; channel < channels; channel++)
                sums[channel] += TSimd.Widen(known[column * result.ColumnStride + channel * result.ChannelStride]);
        }
    }

    // The sums of six cells over the queries of some rows: overwritten, or added to for the cells whose bits are given. The
    // weights start a number of elements after those that the rows and steps give.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByFour(
        QueryRow* rows,
        int rowCount,
        QueryStep* steps,
        int stepCount,
        nint tapStep,
        int channel,
        T* sums,
        int stride,
        nint firstTap = 0,
        int addedTo = 0)
    {
        int lanes = TSimd.Lanes;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        TVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        TVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        TVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        TVector s40 = zero, s41 = zero, s42 = zero, s43 = zero;
        TVector s50 = zero, s51 = zero, s52 = zero, s53 = zero;
        T* own = sums + channel;
        if ((addedTo & 1) != 0)
        {
            s00 = TSimd.Load(own);
            s01 = TSimd.Load(own + lanes);
            s02 = TSimd.Load(own + 2 * lanes);
            s03 = TSimd.Load(own + 3 * lanes);
        }
        if ((addedTo & 2) != 0)
        {
            s10 = TSimd.Load(own + stride);
            s11 = TSimd.Load(own + stride + lanes);
            s12 = TSimd.Load(own + stride + 2 * lanes);
            s13 = TSimd.Load(own + stride + 3 * lanes);
        }
        if ((addedTo & 4) != 0)
        {
            s20 = TSimd.Load(own + 2 * stride);
            s21 = TSimd.Load(own + 2 * stride + lanes);
            s22 = TSimd.Load(own + 2 * stride + 2 * lanes);
            s23 = TSimd.Load(own + 2 * stride + 3 * lanes);
        }
        if ((addedTo & 8) != 0)
        {
            s30 = TSimd.Load(own + 3 * stride);
            s31 = TSimd.Load(own + 3 * stride + lanes);
            s32 = TSimd.Load(own + 3 * stride + 2 * lanes);
            s33 = TSimd.Load(own + 3 * stride + 3 * lanes);
        }
        if ((addedTo & 16) != 0)
        {
            s40 = TSimd.Load(own + 4 * stride);
            s41 = TSimd.Load(own + 4 * stride + lanes);
            s42 = TSimd.Load(own + 4 * stride + 2 * lanes);
            s43 = TSimd.Load(own + 4 * stride + 3 * lanes);
        }
        if ((addedTo & 32) != 0)
        {
            s50 = TSimd.Load(own + 5 * stride);
            s51 = TSimd.Load(own + 5 * stride + lanes);
            s52 = TSimd.Load(own + 5 * stride + 2 * lanes);
            s53 = TSimd.Load(own + 5 * stride + 3 * lanes);
        }
        for (int row = 0; row < rowCount; row++)
        {
            T* values = rows[row].Value + channel;
            TWeight* weights = rows[row].Weight + firstTap;
            for (int step = 0; step < stepCount; step++)
            {
                T* value = values + steps[step].Value;
                TWeight* weight = weights + steps[step].Weight;
                int mask = steps[step].Mask;
                var v0 = TSimd.Load(value);
                var v1 = TSimd.Load(value + lanes);
                var v2 = TSimd.Load(value + 2 * lanes);
                var v3 = TSimd.Load(value + 3 * lanes);
                if ((mask & 1) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(*weight));
                    s00 = TSimd.MultiplyAdd(w, v0, s00);
                    s01 = TSimd.MultiplyAdd(w, v1, s01);
                    s02 = TSimd.MultiplyAdd(w, v2, s02);
                    s03 = TSimd.MultiplyAdd(w, v3, s03);
                }
                if ((mask & 2) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[tapStep]));
                    s10 = TSimd.MultiplyAdd(w, v0, s10);
                    s11 = TSimd.MultiplyAdd(w, v1, s11);
                    s12 = TSimd.MultiplyAdd(w, v2, s12);
                    s13 = TSimd.MultiplyAdd(w, v3, s13);
                }
                if ((mask & 4) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[2 * tapStep]));
                    s20 = TSimd.MultiplyAdd(w, v0, s20);
                    s21 = TSimd.MultiplyAdd(w, v1, s21);
                    s22 = TSimd.MultiplyAdd(w, v2, s22);
                    s23 = TSimd.MultiplyAdd(w, v3, s23);
                }
                if ((mask & 8) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[3 * tapStep]));
                    s30 = TSimd.MultiplyAdd(w, v0, s30);
                    s31 = TSimd.MultiplyAdd(w, v1, s31);
                    s32 = TSimd.MultiplyAdd(w, v2, s32);
                    s33 = TSimd.MultiplyAdd(w, v3, s33);
                }
                if ((mask & 16) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[4 * tapStep]));
                    s40 = TSimd.MultiplyAdd(w, v0, s40);
                    s41 = TSimd.MultiplyAdd(w, v1, s41);
                    s42 = TSimd.MultiplyAdd(w, v2, s42);
                    s43 = TSimd.MultiplyAdd(w, v3, s43);
                }
                if ((mask & 32) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[5 * tapStep]));
                    s50 = TSimd.MultiplyAdd(w, v0, s50);
                    s51 = TSimd.MultiplyAdd(w, v1, s51);
                    s52 = TSimd.MultiplyAdd(w, v2, s52);
                    s53 = TSimd.MultiplyAdd(w, v3, s53);
                }
            }
        }
        // All six, or those that are added to.
        if (addedTo == 0 || (addedTo & 1) != 0)
            Keep(own, s00, s01, s02, s03);
        if (addedTo == 0 || (addedTo & 2) != 0)
            Keep(own + stride, s10, s11, s12, s13);
        if (addedTo == 0 || (addedTo & 4) != 0)
            Keep(own + 2 * stride, s20, s21, s22, s23);
        if (addedTo == 0 || (addedTo & 8) != 0)
            Keep(own + 3 * stride, s30, s31, s32, s33);
        if (addedTo == 0 || (addedTo & 16) != 0)
            Keep(own + 4 * stride, s40, s41, s42, s43);
        if (addedTo == 0 || (addedTo & 32) != 0)
            Keep(own + 5 * stride, s50, s51, s52, s53);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixByTwo(
        QueryRow* rows,
        int rowCount,
        QueryStep* steps,
        int stepCount,
        nint tapStep,
        int channel,
        T* sums,
        int stride,
        nint firstTap = 0,
        int addedTo = 0)
    {
        int lanes = TSimd.Lanes;
        var zero = TSimd.Constant(0.0);
        TVector s00 = zero, s01 = zero, s10 = zero, s11 = zero, s20 = zero, s21 = zero;
        TVector s30 = zero, s31 = zero, s40 = zero, s41 = zero, s50 = zero, s51 = zero;
        T* own = sums + channel;
        if ((addedTo & 1) != 0)
        {
            s00 = TSimd.Load(own);
            s01 = TSimd.Load(own + lanes);
        }
        if ((addedTo & 2) != 0)
        {
            s10 = TSimd.Load(own + stride);
            s11 = TSimd.Load(own + stride + lanes);
        }
        if ((addedTo & 4) != 0)
        {
            s20 = TSimd.Load(own + 2 * stride);
            s21 = TSimd.Load(own + 2 * stride + lanes);
        }
        if ((addedTo & 8) != 0)
        {
            s30 = TSimd.Load(own + 3 * stride);
            s31 = TSimd.Load(own + 3 * stride + lanes);
        }
        if ((addedTo & 16) != 0)
        {
            s40 = TSimd.Load(own + 4 * stride);
            s41 = TSimd.Load(own + 4 * stride + lanes);
        }
        if ((addedTo & 32) != 0)
        {
            s50 = TSimd.Load(own + 5 * stride);
            s51 = TSimd.Load(own + 5 * stride + lanes);
        }
        for (int row = 0; row < rowCount; row++)
        {
            T* values = rows[row].Value + channel;
            TWeight* weights = rows[row].Weight + firstTap;
            for (int step = 0; step < stepCount; step++)
            {
                T* value = values + steps[step].Value;
                TWeight* weight = weights + steps[step].Weight;
                int mask = steps[step].Mask;
                var v0 = TSimd.Load(value);
                var v1 = TSimd.Load(value + lanes);
                if ((mask & 1) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(*weight));
                    s00 = TSimd.MultiplyAdd(w, v0, s00);
                    s01 = TSimd.MultiplyAdd(w, v1, s01);
                }
                if ((mask & 2) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[tapStep]));
                    s10 = TSimd.MultiplyAdd(w, v0, s10);
                    s11 = TSimd.MultiplyAdd(w, v1, s11);
                }
                if ((mask & 4) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[2 * tapStep]));
                    s20 = TSimd.MultiplyAdd(w, v0, s20);
                    s21 = TSimd.MultiplyAdd(w, v1, s21);
                }
                if ((mask & 8) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[3 * tapStep]));
                    s30 = TSimd.MultiplyAdd(w, v0, s30);
                    s31 = TSimd.MultiplyAdd(w, v1, s31);
                }
                if ((mask & 16) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[4 * tapStep]));
                    s40 = TSimd.MultiplyAdd(w, v0, s40);
                    s41 = TSimd.MultiplyAdd(w, v1, s41);
                }
                if ((mask & 32) != 0)
                {
                    var w = TSimd.Broadcast(TWeightElement.Load(weight[5 * tapStep]));
                    s50 = TSimd.MultiplyAdd(w, v0, s50);
                    s51 = TSimd.MultiplyAdd(w, v1, s51);
                }
            }
        }
        // All six, or those that are added to.
        if (addedTo == 0 || (addedTo & 1) != 0)
            Keep(own, s00, s01);
        if (addedTo == 0 || (addedTo & 2) != 0)
            Keep(own + stride, s10, s11);
        if (addedTo == 0 || (addedTo & 4) != 0)
            Keep(own + 2 * stride, s20, s21);
        if (addedTo == 0 || (addedTo & 8) != 0)
            Keep(own + 3 * stride, s30, s31);
        if (addedTo == 0 || (addedTo & 16) != 0)
            Keep(own + 4 * stride, s40, s41);
        if (addedTo == 0 || (addedTo & 32) != 0)
            Keep(own + 5 * stride, s50, s51);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(T* sums, TVector a, TVector b, TVector c, TVector d)
    {
        Keep(sums, a, b);
        Keep(sums + 2 * TSimd.Lanes, c, d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(T* sums, TVector a, TVector b)
    {
        TSimd.Store(sums, a);
        TSimd.Store(sums + TSimd.Lanes, b);
    }

    // A row of queries: where it is staged, and the weights of its first column for the row of taps that is added.
    private struct QueryRow
    {
        public T* Value;
        public TWeight* Weight;
    }

    // A query of a row, as offsets, and a bit for each of six cells that it contributes to.
    private struct QueryStep
    {
        public nint Value;
        public nint Weight;
        public int Mask;
    }

    private struct Workspace
    {
        public QueryWindow<TSimd, TStorage, T, TVector> Queries;
        public MapPointer<TWeight> Weights;
        public QueryRow* Rows;
        public QueryStep* Steps;
        public T* Sums;
        public int SumRowLength;
        public int Stride;

        public Workspace(
            ref ScratchAllocator scratch,
            in TransposedReassemblyParameters<TStorage, TWeight> parameters,
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
                slots: scatters ? 1 : parameters.Extent.Window);
            Weights = new(in parameters.Weights);
            ref readonly var extent = ref parameters.Extent;
            Rows = scratch.Take<QueryRow>((long)extent.Window * extent.Rows.MaximumCount);
            Steps = scratch.Take<QueryStep>((CellsPerStep + extent.Window - 1L) * extent.Columns.MaximumCount);
            Stride = Queries.Stride;
            SumRowLength = columns * Stride;
            Sums = scratch.Take<T>((long)SumRowLength * (scatters ? Tiling(in parameters).RowsPerTile : 1));
        }

        public readonly T* SumRow(int row) => Sums + row * SumRowLength;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The whole backward of attention over points on the CPU, a tile being one group of one image: key and value of the group are
/// staged cell by cell beside one another, and every run of queries adds what it contributes to their gradients right where
/// its points were found. What it computes is, to the last bit, what <see
/// cref="PointAttentionBackwardProgram{TSimd, TStorage, T, TVector}"/> and
/// <see cref="PointScatterProgram{TSimd, TStorage, T, TVector}"/> compute, which have work for more threads but find all points
/// three times.
/// </summary>
/// <remarks>
/// Memory: of the group, every operand is read once and every gradient written once. Staged cells and sums are
/// [cell][value, key], an odd number of vectors, so that the cells around a run spread over all of the first-level cache.
/// </remarks>
/// <typeparam name="TSimd">The vector arithmetic of the tensors.</typeparam>
/// <typeparam name="TStorage">The type of the tensors.</typeparam>
/// <typeparam name="T">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="T"/>.</typeparam>
/// <typeparam name="TStagedSimd">The vector arithmetic of what is staged.</typeparam>
public readonly unsafe struct PointAttentionGroupProgram<TSimd, TStorage, T, TVector, TStagedSimd>
    : ITileProgram<PointAttentionGroupParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TStagedSimd : struct, ISimd<T, T, TVector>
{
    private const int Length = PointTable<TSimd, TStorage, T, TVector>.Length;

    /// <inheritdoc/>
    public static long TileCount(in PointAttentionGroupParameters<TStorage> parameters) =>
        (long)parameters.Forward.Batch * parameters.Forward.Groups;

    /// <inheritdoc/>
    public static double Operations(in PointAttentionGroupParameters<TStorage> parameters) =>
        4 * PointAttentionSteps<TSimd, TStorage, T, TVector>.Operations(in parameters.Forward);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointAttentionGroupParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters.Forward);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointAttentionGroupParameters<TStorage> parameters, long tile, byte* scratch)
    {
        ref readonly var forward = ref parameters.Forward;
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in forward);
        (int image, int group) = ((int)(tile / forward.Groups), (int)(tile % forward.Groups));
        Stage(in forward, image, group, in workspace);
        for (int row = 0; row < forward.Rows.Queries; row++)
        {
            for (int column = 0; column < forward.Columns.Queries; column += Length)
            {
                var span = new PixelSpan
                {
                    Image = image,
                    Row = row,
                    Column = column,
                    Count = Math.Min(Length, forward.Columns.Queries - column),
                };
                Foresee(in forward, span, group);
                Differentiate(in parameters, in span, group, in workspace);
            }
        }
        int values = forward.ValueChannels;
        int keys = forward.KeyChannels;
        if (parameters.NeedsGradValue != 0)
            Store(in parameters.GradValue, in forward, image, group * values, values, workspace.Sums, workspace.Stride);
        if (parameters.NeedsGradKey != 0)
            Store(in parameters.GradKey, in forward, image, group * keys, keys, workspace.Sums + values, workspace.Stride);
    }

    // Value and key of the group, then a cell of zeros for those outside; all sums at 0.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stage(
        in PointAttentionParameters<TStorage> forward, int image, int group, in Workspace workspace)
    {
        var value = new MapPointer<TStorage>(in forward.Value, group * forward.ValueChannels);
        var key = new MapPointer<TStorage>(in forward.Key, group * forward.KeyChannels);
        T* cells = workspace.Cells;
        for (int row = 0; row < forward.Rows.Cells; row++)
        {
            var span = new PixelSpan { Image = image, Row = row, Column = 0, Count = forward.Columns.Cells };
            PixelRows<TSimd, TStorage, T, TVector>.Load(in value, in span, cells, forward.ValueChannels, workspace.Stride);
            PixelRows<TSimd, TStorage, T, TVector>.Load(
                in key, in span, cells + forward.ValueChannels, forward.KeyChannels, workspace.Stride);
            cells += (nint)forward.Columns.Cells * workspace.Stride;
        }
        new Span<T>(cells, workspace.Stride).Clear();
        NativeMemory.Clear(workspace.Sums, (nuint)(Workspace.CellCount(in forward) * workspace.Stride * sizeof(T)));
    }

    // What the next run of the row reads: pieces of pixels, which the processor does not foresee by itself.
    private static void Foresee(in PointAttentionParameters<TStorage> forward, PixelSpan span, int group)
    {
        int offsets = 2 * forward.Points;
        span.Column += Length;
        span.Count = Math.Min(Length, forward.Columns.Queries - span.Column);
        Prefetch.Pixels(
            new MapPointer<TStorage>(in forward.Output), in span, group * forward.ValueChannels, forward.ValueChannels);
        Prefetch.Pixels(
            new MapPointer<TStorage>(in forward.Query), in span, group * forward.KeyChannels, forward.KeyChannels);
        Prefetch.Pixels(new MapPointer<TStorage>(in forward.Offsets), in span, group * offsets, offsets);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        in PointAttentionGroupParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        ref readonly var forward = ref parameters.Forward;
        int points = forward.Points;
        int values = forward.ValueChannels;
        int keys = forward.KeyChannels;
        var table = workspace.Table;
        LoadFeatures(in forward, in span, group, in workspace);
        table.Begin(in forward.Offsets, in forward.Rows, in forward.Columns, in span, group, groups: 1);
        table.Fill(group: 0, span.Count, workspace.Map(in forward));
        Multiply(in forward, in span, values, keys, in workspace, workspace.KeyProducts);
        PointSteps<TStagedSimd, T, T, TVector>.Scores(table.Shares, workspace.KeyProducts, points, workspace.Weights);
        PointSteps<TStagedSimd, T, T, TVector>.Softmax(workspace.Weights, points);
        if ((parameters.NeedsGradQuery | parameters.NeedsGradKey | parameters.NeedsGradOffsets) != 0)
        {
            Multiply(in forward, in span, 0, values, in workspace, workspace.ValueProducts);
            PointSteps<TStagedSimd, T, T, TVector>.Scores(
                table.Shares, workspace.ValueProducts, points, workspace.GradScores);
            PointSteps<TStagedSimd, T, T, TVector>.SoftmaxBackward(workspace.Weights, workspace.GradScores, points);
        }
        if (parameters.NeedsGradOffsets != 0)
            StoreGradOffsets(in parameters, in span, group, in workspace);
        if (parameters.NeedsGradQuery != 0)
            StoreGradQuery(in parameters, in span, group, in workspace);
        if (parameters.NeedsGradValue != 0)
            Spread(in span, workspace.Weights, points, 0, values, in workspace);
        if (parameters.NeedsGradKey != 0)
            Spread(in span, workspace.GradScores, points, values, keys, in workspace);
    }

    // The gradient of the output and the queries, in the order of the staged cells.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadFeatures(
        in PointAttentionParameters<TStorage> forward, in PixelSpan span, int group, in Workspace workspace)
    {
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in forward.Output, group * forward.ValueChannels),
            in span,
            workspace.Features,
            forward.ValueChannels,
            workspace.Stride);
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in forward.Query, group * forward.KeyChannels),
            in span,
            workspace.Features + forward.ValueChannels,
            forward.KeyChannels,
            workspace.Stride);
    }

    private static void Multiply(
        in PointAttentionParameters<TStorage> forward,
        in PixelSpan span,
        int first,
        int channels,
        in Workspace workspace,
        T* products) => PointSteps<TStagedSimd, T, T, TVector>.Products(
            workspace.Features + first,
            workspace.Stride,
            workspace.Table.First,
            forward.Points,
            span.Count,
            channels,
            workspace.Room,
            products,
            first);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreGradOffsets(
        in PointAttentionGroupParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        int points = parameters.Forward.Points;
        var table = workspace.Table;
        new Span<T>(workspace.GradOffsets, 2 * points * Length).Clear();
        PointSteps<TSimd, TStorage, T, TVector>.AddSlopes(
            workspace.ValueProducts, in table, workspace.Weights, points, workspace.GradOffsets);
        PointSteps<TSimd, TStorage, T, TVector>.AddSlopes(
            workspace.KeyProducts, in table, workspace.GradScores, points, workspace.GradOffsets);
        var map = new MapPointer<TStorage>(in parameters.GradOffsets, group * 2 * points);
        QueryBlock<TSimd, TStorage, T, TVector>.Store(
            workspace.GradOffsets, Length, in map, map.At(span.Image, 0, span.Row, span.Column), 2 * points, span.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreGradQuery(
        in PointAttentionGroupParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        ref readonly var forward = ref parameters.Forward;
        var table = workspace.Table;
        int stride = forward.KeyChannels;
        new Span<T>(workspace.GradQuery, span.Count * stride).Clear();
        table.Weigh(workspace.GradScores, workspace.Shares);
        PointSteps<TStagedSimd, T, T, TVector>.AddCells(
            table.First,
            workspace.Shares,
            table.CellsPerQuery,
            span.Count,
            workspace.GradQuery,
            stride,
            forward.KeyChannels,
            first: forward.ValueChannels);
        PixelRows<TSimd, TStorage, T, TVector>.Store(
            workspace.GradQuery,
            stride,
            new MapPointer<TStorage>(in parameters.GradQuery, group * forward.KeyChannels),
            in span,
            forward.KeyChannels);
    }

    // Adds the features, each times a value of its point, to the sums of the cells around them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Spread(
        in PixelSpan span, T* perPoint, int points, int first, int channels, in Workspace workspace)
    {
        var table = workspace.Table;
        Round(perPoint, points * Length, workspace.Rounded);
        table.Weigh(perPoint, workspace.Shares);
        nint toSums = (nint)(workspace.Sums - workspace.Cells + first) * sizeof(T);
        T* features = workspace.Features + first;
        for (int i = 0; i < span.Count; i++, features += workspace.Stride)
        {
            PointSteps<TStagedSimd, T, T, TVector>.Spread(
                table.First + i, toSums, workspace.Shares + i, table.CellsPerQuery, features, channels);
        }
    }

    // As if the values had been written to a tensor and read again.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Round(T* values, int count, TStorage* room)
    {
        if (typeof(TStorage) == typeof(T))
            return;
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            TSimd.StoreStorage(room, TSimd.Load(values + i));
            TSimd.Store(values + i, TSimd.LoadStorage(room));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Store(
        in MapView<TStorage> gradient,
        in PointAttentionParameters<TStorage> forward,
        int image,
        int first,
        int channels,
        T* sums,
        int stride)
    {
        var map = new MapPointer<TStorage>(in gradient, first);
        for (int row = 0; row < forward.Rows.Cells; row++)
        {
            var span = new PixelSpan { Image = image, Row = row, Column = 0, Count = forward.Columns.Cells };
            PixelRows<TSimd, TStorage, T, TVector>.Store(sums, stride, in map, in span, channels);
            sums += (nint)forward.Columns.Cells * stride;
        }
    }

    private readonly struct Workspace
    {
        public readonly PointTable<TSimd, TStorage, T, TVector> Table;
        public readonly T* Cells;
        public readonly T* Sums;
        public readonly T* Features;
        public readonly T* Room;
        public readonly T* KeyProducts;
        public readonly T* ValueProducts;
        public readonly T* Weights;
        public readonly T* GradScores;
        public readonly T* Shares;
        public readonly T* GradOffsets;
        public readonly T* GradQuery;
        public readonly TStorage* Rounded;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in PointAttentionParameters<TStorage> forward)
        {
            int points = forward.Points;
            long perCorner = (long)points * PointTable<TSimd, TStorage, T, TVector>.Corners * Length;
            Stride = (((forward.KeyChannels + forward.ValueChannels) / TSimd.Lanes) | 1) * TSimd.Lanes;
            Table = new(ref scratch, points, groups: 1);
            Cells = scratch.Take<T>(CellCount(in forward) * Stride);
            Sums = scratch.Take<T>(CellCount(in forward) * Stride);
            Features = scratch.Take<T>((long)Length * Stride);
            Room = scratch.Take<T>(PointSteps<TStagedSimd, T, T, TVector>.RoomFor(points));
            KeyProducts = scratch.Take<T>(perCorner);
            ValueProducts = scratch.Take<T>(perCorner);
            Weights = scratch.Take<T>((long)points * Length);
            GradScores = scratch.Take<T>((long)points * Length);
            Shares = scratch.Take<T>(perCorner);
            GradOffsets = scratch.Take<T>(2L * points * Length);
            GradQuery = scratch.Take<T>((long)Length * forward.KeyChannels);
            Rounded = scratch.Take<TStorage>(TSimd.Lanes);
        }

        // One more than the map has, for all that are outside.
        public static long CellCount(in PointAttentionParameters<TStorage> forward) =>
            (long)forward.Rows.Cells * forward.Columns.Cells + 1;

        public PointMap Map(in PointAttentionParameters<TStorage> forward) => new()
        {
            Height = forward.Rows.Cells,
            Width = forward.Columns.Cells,
            Origin = (nint)Cells,
            RowStep = (nint)forward.Columns.Cells * Stride * sizeof(T),
            ColumnStep = Stride * sizeof(T),
            Outside = (nint)(Cells + (CellCount(in forward) - 1) * Stride),
        };
    }
}
